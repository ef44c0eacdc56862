import { expect, it } from 'vitest';
import { configMap, manifest, pod, withEachKubectl } from './kubectl-runner.ts';

withEachKubectl('reading and writing', (kubectl) => {
	it('creates, refuses a second time, and prints in every format', async () => {
		expect(await kubectl.ok(['create', '-f', '-'], manifest(pod('web', { metadata: { labels: { app: 'web' } } })))).toBe(
			'pod/web created\n',
		);
		const again = await kubectl(['create', '-f', '-'], manifest(pod('web')));
		expect(again.stderr).toContain('pods "web" already exists');

		const [header = '', row = ''] = (await kubectl.ok(['get', 'pods'])).split('\n');
		expect(header.split(/\s+/)).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']);
		expect(row).toMatch(/^web\s+0\/1\s+Pending\s+0\s+\d+s$/);
		expect(await kubectl.ok(['get', 'pods', '-o', 'wide'])).toMatch(/^NAME\s.*\sIP\s+NODE\s.*NOMINATED NODE/);
		expect(await kubectl.ok(['get', 'pod', 'web', '-o', 'name'])).toBe('pod/web\n');
		expect(await kubectl.ok(['get', 'pod', 'web', '-o', 'yaml'])).toContain('dnsPolicy: ClusterFirst');
		expect(await kubectl.ok(['get', 'pod', 'web', '-o', 'jsonpath={.status.phase} {.spec.restartPolicy}'])).toBe('Pending Always');
		expect(await kubectl.ok(['get', 'pods', '-o', 'custom-columns=N:.metadata.name,P:.status.phase', '--no-headers'])).toMatch(
			/^web\s+Pending\n$/,
		);
		expect(await kubectl.ok(['get', 'pods', '-A', '--show-labels'])).toMatch(/default\s+web\s.*app=web/);
		expect(await kubectl.json(['get', 'pods'])).toMatchObject({
			kind: 'List',
			items: [{ kind: 'Pod', metadata: { name: 'web', namespace: 'default' } }],
		});
	});

	it('applies, applies again, and applies a change', async () => {
		const settings = (data: Readonly<Record<string, string>>): string => manifest(configMap('settings', data));
		expect(await kubectl.ok(['apply', '-f', '-'], settings({ a: '1', b: '2' }))).toBe('configmap/settings created\n');
		expect(await kubectl.ok(['apply', '-f', '-'], settings({ a: '1', b: '2' }))).toBe('configmap/settings unchanged\n');
		expect(await kubectl.ok(['apply', '-f', '-'], settings({ a: '3' }))).toBe('configmap/settings configured\n');
		// What an earlier apply set and a later one leaves out is removed.
		expect(await kubectl.json(['get', 'configmap', 'settings'])).toMatchObject({ data: { a: '3' } });
		expect(await kubectl.ok(['get', 'configmap', 'settings', '-o', 'jsonpath={.data}'])).toBe('{"a":"3"}');
	});

	it('applies lists that merge by key', async () => {
		const service = (ports: readonly object[]): string =>
			manifest({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports } });
		await kubectl.ok(['apply', '-f', '-'], service([{ name: 'http', port: 80 }]));
		const before = await kubectl.json<{ spec: { clusterIP: string } }>(['get', 'service', 'web']);
		expect(before.spec.clusterIP).toMatch(/^10\.96\./);
		const two = service([
			{ name: 'http', port: 80 },
			{ name: 'admin', port: 81, targetPort: 8081 },
		]);
		expect(await kubectl.ok(['apply', '-f', '-'], two)).toBe('service/web configured\n');
		expect(await kubectl.json(['get', 'service', 'web'])).toMatchObject({
			spec: {
				clusterIP: before.spec.clusterIP,
				ports: [
					{ port: 80, targetPort: 80, protocol: 'TCP' },
					{ port: 81, targetPort: 8081 },
				],
			},
		});
		expect(await kubectl.ok(['apply', '-f', '-'], two)).toBe('service/web unchanged\n');
	});

	it('patches in all three ways', async () => {
		await kubectl.ok(['create', 'configmap', 'patched', '--from-literal=a=1', '--from-literal=b=2']);
		const patch = (type: string, body: unknown) =>
			kubectl.ok(['patch', 'configmap', 'patched', `--type=${type}`, '-p', JSON.stringify(body)]);
		await patch('strategic', { data: { a: 'strategic' } });
		await patch('merge', { data: { b: null, c: 'merge' } });
		await patch('json', [{ op: 'add', path: '/data/d', value: 'json' }]);
		expect((await kubectl.json(['get', 'configmap', 'patched'])).data).toEqual({ a: 'strategic', c: 'merge', d: 'json' });
		const failed = await kubectl(['patch', 'configmap', 'patched', '--type=json', '-p', '[{"op":"remove","path":"/data/none"}]']);
		expect(failed.status).toBe(1);
		expect(await patch('merge', { data: { c: 'merge' } })).toBe('configmap/patched patched (no change)\n');
	});

	it('labels and annotates, and takes labels and annotations away', async () => {
		await kubectl.ok(['create', 'configmap', 'marked']);
		expect(await kubectl.ok(['label', 'configmap', 'marked', 'tier=front'])).toMatch(/^configmap\/marked labeled/);
		expect((await kubectl(['label', 'configmap', 'marked', 'tier=back'])).stderr).toContain('already has a value');
		await kubectl.ok(['label', 'configmap', 'marked', 'tier=back', '--overwrite']);
		await kubectl.ok(['annotate', 'configmap', 'marked', 'example.com/note=a b']);
		expect((await kubectl.json(['get', 'configmap', 'marked'])).metadata).toMatchObject({
			labels: { tier: 'back' },
			annotations: { 'example.com/note': 'a b' },
		});
		await kubectl.ok(['label', 'configmap', 'marked', 'tier-']);
		expect((await kubectl.json(['get', 'configmap', 'marked'])).metadata).not.toHaveProperty('labels');
		expect((await kubectl(['label', 'configmap', 'marked', 'tier=_'])).stderr).toContain('a valid label must be');
	});

	it('selects by labels and by fields', async () => {
		await kubectl.ok(['create', 'namespace', 'chosen']);
		const on = (node: string, tier: string): object => ({ metadata: { labels: { tier } }, spec: { nodeName: node } });
		await kubectl.ok(['-n', 'chosen', 'create', '-f', '-'], manifest(pod('a', on('n1', 'front')), pod('b', on('n2', 'back')), pod('c')));
		const names = async (...args: readonly string[]): Promise<string[]> =>
			(await kubectl.ok(['-n', 'chosen', 'get', 'pods', '-o', 'jsonpath={.items[*].metadata.name}', ...args]))
				.split(' ')
				.filter((name) => name !== '');
		expect(await names('-l', 'tier=front')).toEqual(['a']);
		expect(await names('-l', 'tier!=front')).toEqual(['b', 'c']);
		expect(await names('-l', 'tier in (front,back),tier notin (back)')).toEqual(['a']);
		expect(await names('-l', '!tier')).toEqual(['c']);
		expect(await names('--field-selector', 'spec.nodeName=n2')).toEqual(['b']);
		expect(await names('--field-selector', 'status.phase=Pending,metadata.name!=a')).toEqual(['b', 'c']);
		expect((await kubectl(['get', 'pods', '--field-selector', 'spec.color=red'])).stderr).toContain(
			'field label not supported: spec.color',
		);
		expect(await kubectl.ok(['-n', 'chosen', 'delete', 'pods', '-l', '!tier'])).toBe('pod "c" deleted\n');
	});

	it('watches', async () => {
		await kubectl.ok(['create', 'configmap', 'watched', '--from-literal=n=0']);
		const lines = await kubectl.until(
			['get', 'configmaps', '--watch', '--output-watch-events', '--field-selector', 'metadata.name=watched'],
			(seen) => seen.some((line) => line.startsWith('DELETED')),
			async () => {
				await kubectl.ok(['patch', 'configmap', 'watched', '-p', '{"data":{"m":"1"}}']);
				await kubectl.ok(['delete', 'configmap', 'watched']);
			},
		);
		expect(lines.map((line) => line.split(/\s+/).slice(0, 3).join(' '))).toEqual([
			'EVENT NAME DATA',
			'ADDED watched 1',
			'MODIFIED watched 2',
			'DELETED watched 2',
		]);
	});

	it('describes with events', async () => {
		await kubectl.ok(['create', '-f', '-'], manifest(pod('described')));
		const { metadata } = await kubectl.json<{ metadata: { uid: string } }>(['get', 'pod', 'described']);
		const involvedObject = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'described', uid: metadata.uid };
		const event = {
			apiVersion: 'v1',
			kind: 'Event',
			metadata: { generateName: 'described.' },
			involvedObject,
			type: 'Warning',
			reason: 'Odd',
			message: 'it is odd',
		};
		await kubectl.ok(['create', '-f', '-'], manifest(event));
		const text = await kubectl.ok(['describe', 'pod', 'described']);
		expect(text).toMatch(/Image:\s+example\/main:1/);
		expect(text).toMatch(/Warning\s+Odd\s.*it is odd/);
		for (const kind of ['namespace/default', 'service/kubernetes', 'serviceaccount/default']) {
			expect(await kubectl.ok(['describe', kind])).toMatch(/^Name:\s/);
		}
	});

	it('lists api resources and versions', async () => {
		const names = (await kubectl.ok(['api-resources', '-o', 'name'])).split('\n');
		for (const name of [
			'pods',
			'leases.coordination.k8s.io',
			'endpointslices.discovery.k8s.io',
			'networkpolicies.networking.k8s.io',
			'events.events.k8s.io',
		]) {
			expect(names).toContain(name);
		}
		expect(await kubectl.ok(['api-versions'])).toContain('apiextensions.k8s.io/v1\n');
		expect(await kubectl.ok(['version', '-o', 'json'])).toContain('serverVersion');
	});

	it('makes the objects that its own commands are for', async () => {
		await kubectl.ok(['create', 'namespace', 'made']);
		for (const args of [
			['create', 'configmap', 'made', '--from-literal=a=1'],
			['create', 'secret', 'generic', 'made', '--from-literal=a=secret'],
			['create', 'serviceaccount', 'made'],
			['create', 'service', 'clusterip', 'made', '--tcp=80:8080'],
			['create', 'deployment', 'made', '--image=example/main:1'],
			['create', 'role', 'made', '--verb=get', '--resource=pods'],
			['run', 'made', '--image=example/main:1'],
		]) {
			await kubectl.ok(['-n', 'made', ...args]);
		}
		expect((await kubectl.json(['-n', 'made', 'get', 'secret', 'made'])).data).toEqual({ a: Buffer.from('secret').toString('base64') });
		expect(await kubectl.json(['-n', 'made', 'get', 'service', 'made'])).toMatchObject({
			spec: { ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
		});
		expect(await kubectl.json(['-n', 'made', 'get', 'deployment', 'made'])).toMatchObject({
			spec: { replicas: 1, selector: { matchLabels: { app: 'made' } }, template: { spec: { containers: [{ image: 'example/main:1' }] } } },
		});
	});

	it('replaces, and is refused with a stale version', async () => {
		await kubectl.ok(['create', 'configmap', 'replaced', '--from-literal=a=1']);
		const read = await kubectl.json<{ metadata: object }>(['get', 'configmap', 'replaced']);
		await kubectl.ok(['replace', '-f', '-'], manifest({ ...read, data: { a: '2' } }));
		const stale = await kubectl(['replace', '-f', '-'], manifest({ ...read, data: { a: '3' } }));
		expect(stale.stderr).toContain('the object has been modified; please apply your changes to the latest version and try again');
	});

	it('changes nothing in a dry run', async () => {
		expect(await kubectl.ok(['create', 'configmap', 'dry', '--dry-run=server'])).toBe('configmap/dry created (server dry run)\n');
		expect((await kubectl(['get', 'configmap', 'dry'])).stderr).toContain('configmaps "dry" not found');
	});

	it('is told what is wrong', async () => {
		const wrong = await kubectl(['create', '-f', '-'], manifest(pod('Wrong_Name', { spec: { restartPolicy: 'Sometimes' } })));
		expect(wrong.stderr).toContain('The Pod "Wrong_Name" is invalid');
		expect(wrong.stderr).toContain('spec.restartPolicy: Unsupported value: "Sometimes"');
		expect(wrong.stderr).toContain('metadata.name: Invalid value: "Wrong_Name"');
		expect((await kubectl(['-n', 'nowhere', 'create', 'configmap', 'a'])).stderr).toContain('namespaces "nowhere" not found');
		expect((await kubectl(['get', 'unicorns'])).stderr).toContain('the server doesn\'t have a resource type "unicorns"');
	});

	it('answers exec and logs with the hint', async () => {
		await kubectl.ok(['create', '-f', '-'], manifest(pod('silent')));
		expect((await kubectl(['exec', 'silent', '--', 'true'])).stderr).toContain('use the other tool');
		expect((await kubectl(['logs', 'silent'])).stderr).toContain('use the other tool');
		expect((await kubectl(['logs', 'absent'])).stderr).toContain('not found');
	});
});
