import { expect, it } from 'vitest';
import { configMap, manifest, pod, withEachKubectl } from './kubectl-runner.ts';

interface Named {
	readonly metadata: {
		readonly name: string;
		readonly uid: string;
		readonly deletionTimestamp?: string;
		readonly finalizers?: readonly string[];
	};
}

withEachKubectl('deletion', (kubectl) => {
	const exists = async (kind: string, name: string): Promise<boolean> =>
		(await kubectl.ok(['get', kind, name, '--ignore-not-found', '-o', 'name'])) !== '';
	/** Deletes without waiting for it to be gone. */
	const drop = (kind: string, name: string, ...args: readonly string[]): Promise<string> =>
		kubectl.ok(['delete', kind, name, '--wait=false', ...args]);
	/** Resolves when it is gone. kubectl 1.20 calls it an error when that is so from the start. */
	const gone = async (what: string): Promise<void> => {
		const { status, stderr } = await kubectl(['wait', '--for=delete', what, '--timeout=30s']);
		if (status !== 0) expect(stderr).toContain('no matching resources found');
	};

	/** A ConfigMap that owns another one. */
	async function ownerAndDependent(name: string, blocking: boolean): Promise<void> {
		await kubectl.ok(['create', '-f', '-'], manifest(configMap(name, {})));
		const owner = await kubectl.json<Named>(['get', 'configmap', name]);
		const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid: owner.metadata.uid, blockOwnerDeletion: blocking }];
		await kubectl.ok(['create', '-f', '-'], manifest(configMap(`${name}-child`, {}, { ownerReferences })));
	}

	it('waits for finalizers', async () => {
		await kubectl.ok(['create', '-f', '-'], manifest(configMap('held', { a: '1' }, { finalizers: ['example.com/hold'] })));
		await drop('configmap', 'held');
		expect((await kubectl.json<Named>(['get', 'configmap', 'held'])).metadata.deletionTimestamp).toBeDefined();
		const added = await kubectl([
			'patch',
			'configmap',
			'held',
			'--type=merge',
			'-p',
			'{"metadata":{"finalizers":["example.com/hold","example.com/more"]}}',
		]);
		expect(added.stderr).toContain('no new finalizers can be added if the object is being deleted');
		const waiting = gone('configmap/held');
		await kubectl.ok(['patch', 'configmap', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]']);
		await waiting;
		expect(await exists('configmap', 'held')).toBe(false);
	});

	it('deletes dependents in the background', async () => {
		await ownerAndDependent('background', true);
		await drop('configmap', 'background', '--cascade=background');
		expect(await exists('configmap', 'background')).toBe(false);
		await gone('configmap/background-child');
	});

	it('deletes dependents first in the foreground', async () => {
		await ownerAndDependent('foreground', true);
		await kubectl.ok(['patch', 'configmap', 'foreground-child', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}']);
		await drop('configmap', 'foreground', '--cascade=foreground');
		expect((await kubectl.json<Named>(['get', 'configmap', 'foreground'])).metadata.finalizers).toEqual(['foregroundDeletion']);
		await kubectl
			.ok(['wait', '--for=jsonpath={.metadata.deletionGracePeriodSeconds}=0', 'configmap/foreground-child', '--timeout=30s'])
			.catch(ignoreOld);
		await kubectl.ok(['patch', 'configmap', 'foreground-child', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
		await gone('configmap/foreground');
		expect(await exists('configmap', 'foreground-child')).toBe(false);
	});

	it('orphans dependents', async () => {
		await ownerAndDependent('orphaning', true);
		await kubectl.ok(['delete', 'configmap', 'orphaning', '--cascade=orphan']);
		const child = await kubectl.json<Named>(['get', 'configmap', 'orphaning-child']);
		expect(child.metadata).not.toHaveProperty('ownerReferences');
		expect(child.metadata).not.toHaveProperty('deletionTimestamp');
	});

	it('collects what is created for an owner that does not exist', async () => {
		const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: '00000000-0000-0000-0000-000000000000' }];
		await kubectl.ok(['create', '-f', '-'], manifest(configMap('stray', {}, { ownerReferences })));
		await gone('configmap/stray');
	});

	it('gives a running pod its grace period', async () => {
		await kubectl.ok(['create', '-f', '-'], manifest(pod('graceful', { spec: { nodeName: 'n1', terminationGracePeriodSeconds: 7 } })));
		await drop('pod', 'graceful');
		expect(await kubectl.json(['get', 'pod', 'graceful'])).toMatchObject({ metadata: { deletionGracePeriodSeconds: 7 } });
		expect(await kubectl.ok(['get', 'pod', 'graceful'])).toContain('Terminating');
		await kubectl.ok(['delete', 'pod', 'graceful', '--grace-period=0', '--force']);
		expect(await exists('pod', 'graceful')).toBe(false);
	});

	it('empties a namespace, then deletes it, and refuses new content meanwhile', async () => {
		await kubectl.ok(['create', 'namespace', 'leaving']);
		await kubectl.ok(
			['-n', 'leaving', 'create', '-f', '-'],
			manifest(configMap('held', {}, { finalizers: ['example.com/hold'] }), configMap('free', {})),
		);
		await drop('namespace', 'leaving');
		expect(await kubectl.ok(['get', 'namespace', 'leaving'])).toContain('Terminating');
		const refused = await kubectl(['-n', 'leaving', 'create', 'configmap', 'late']);
		expect(refused.stderr).toContain('unable to create new content in namespace leaving because it is being terminated');
		await kubectl.ok(['-n', 'leaving', 'patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
		await gone('namespace/leaving');
		expect((await kubectl(['delete', 'namespace', 'default'])).stderr).toContain('this namespace may not be deleted');
	});

	it('waits for conditions', async () => {
		await kubectl.ok(['create', '-f', '-'], manifest(pod('waited')));
		const ready = kubectl.ok(['wait', '--for=condition=Ready', 'pod/waited', '--timeout=30s']);
		const status = { conditions: [{ type: 'Ready', status: 'True' }] };
		const current = await kubectl.json<object>(['get', 'pod', 'waited']);
		await kubectl.ok(
			['replace', '--raw', '/api/v1/namespaces/default/pods/waited/status', '-f', '-'],
			JSON.stringify({ ...current, status }),
		);
		expect(await ready).toBe('pod/waited condition met\n');
	});
});

/** kubectl 1.20 has no --for=jsonpath; the steps after it wait for the same thing. */
function ignoreOld(error: Error): void {
	if (!error.message.includes('unrecognized condition')) throw error;
}
