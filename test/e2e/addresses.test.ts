import { expect } from 'vitest';
import { inWorkload, kube, kubeJson } from './harness/lab.ts';
import { matrix } from './matrix/matrix.ts';
import { document, namespace, pod, subnet } from './matrix/objects.ts';
import { openRaw } from './matrix/raw.ts';

const v4Of = (name: string, namespaceOfPod: string) => kube('get', 'ip', `${name}.${namespaceOfPod}`, '-o', 'jsonpath={.spec.v4IpAddress}');
const pool = (name: string, spec: object) => document({ apiVersion: 'kubeovn.io/v1', kind: 'IPPool', metadata: { name }, spec });
const statefulSet = {
	apiVersion: 'apps/v1',
	kind: 'StatefulSet',
	metadata: { name: 'db', namespace: 'pools' },
	spec: {
		replicas: 2,
		serviceName: 'db',
		selector: { matchLabels: { app: 'db' } },
		template: {
			metadata: { labels: { app: 'db' }, annotations: { 'ovn.kubernetes.io/ip_pool': 'pool-db' } },
			spec: { containers: [{ name: 'main', image: 'nginx:alpine' }] },
		},
	},
};

matrix('pools of addresses', {
	objects: [
		namespace('pools'),
		namespace('bound'),
		subnet('net-pools', { cidrBlock: '10.87.0.0/24,fd00:87::/120', namespaces: ['pools', 'bound'], natOutgoing: true }),
		pool('pool-bound', {
			subnet: 'net-pools',
			namespaces: ['bound'],
			ips: ['10.87.0.2..10.87.0.3', 'fd00:87::80/124'],
			enableAddressSet: true,
		}),
		pool('pool-db', { subnet: 'net-pools', ips: ['10.87.0.9', '10.87.0.5'] }),
		pod('any', { namespace: 'pools', node: 'n1' }),
		pod('one', { namespace: 'bound', node: 'n1' }),
		pod('two', { namespace: 'bound', node: 'n2' }),
	].join(''),
	cases: [
		{ from: 'pod/pools/any', to: 'pod/bound/one', proto: 'tcp', expect: 'passes' },
		{ from: 'pod/bound/two', to: 'pod/pools/any', proto: 'tcp', expect: 'passes' },
	],
	check: async () => {
		expect(await v4Of('any', 'pools')).toBe('10.87.0.4');
		expect([await v4Of('one', 'bound'), await v4Of('two', 'bound')].sort()).toEqual(['10.87.0.2', '10.87.0.3']);
		await kube('wait', 'ippool/pool-bound', '--for=jsonpath={.status.v4AvailableIPs}=0', '--timeout=20s');
		const { status } = await kubeJson<{ status: object }>('get', 'ippool', 'pool-bound');
		expect(status).toMatchObject({ v4UsingIPs: 2, v4UsingIPRange: '10.87.0.2-10.87.0.3', v6UsingIPs: 2, v6AvailableIPs: 14 });
	},
	steps: [
		{
			name: 'give the pods of a StatefulSet their places',
			objects: document(statefulSet),
			check: async () => {
				// The second is made when the first is ready.
				await kube('wait', '-n', 'pools', '--for=create', '--timeout=60s', 'pod/db-0');
				await kube('wait', '-n', 'pools', '--for=create', '--timeout=90s', 'pod/db-1');
				await kube('wait', '-n', 'pools', '--for=condition=Ready', '--timeout=90s', 'pod/db-0', 'pod/db-1');
				expect([await v4Of('db-0', 'pools'), await v4Of('db-1', 'pools')]).toEqual(['10.87.0.9', '10.87.0.5']);
			},
		},
		{
			name: 'are known to policies by an address set',
			objects: document({
				apiVersion: 'kubeovn.io/v1',
				kind: 'Vpc',
				metadata: { name: 'ovn-cluster' },
				spec: { policyRoutes: [{ priority: 31_500, match: 'ip4.src == $ippool.pool.bound.v4 && tcp.dst == 4711', action: 'drop' }] },
			}),
			keep: true,
			cases: [
				{ from: 'pod/bound/one', to: 'outside', proto: 'tcp', port: 4711, families: ['IPv4'], expect: 'silent' },
				{ from: 'pod/bound/one', to: 'outside', proto: 'tcp', port: 4711, families: ['IPv6'], expect: 'passes' },
				{ from: 'pod/pools/any', to: 'outside', proto: 'tcp', port: 4711, expect: 'passes' },
			],
			after: async () => void (await kube('patch', 'vpc', 'ovn-cluster', '--type=merge', '-p', '{"spec":{"policyRoutes":null}}')),
		},
	],
	order: 'mixed',
});

const vip = (name: string, spec: object) => document({ apiVersion: 'kubeovn.io/v1', kind: 'Vip', metadata: { name }, spec });
const shared = { IPv4: '10.16.240.1', IPv6: 'fd00:10:16::f001' };
const mayUse = { 'ovn.kubernetes.io/aaps': 'shared' };
const device = (...args: string[]) => ['dev', 'eth0', ...args];
const addShared = async (name: string): Promise<void> => {
	for (const [command, ip] of [
		['-4', `${shared.IPv4}/16`],
		['-6', `${shared.IPv6}/112`],
	] as const) {
		const last = command === '-6' ? device('nodad') : device();
		expect((await inWorkload('shares', `pod/${name}`, 'ip', command, 'address', 'add', ip, ...last)).status).toBe(0);
	}
	// What keepalived does when it takes an address over.
	await inWorkload('shares', `pod/${name}`, 'busybox', 'arping', '-A', '-c', '2', '-I', 'eth0', shared.IPv4);
};
const dropShared = async (name: string): Promise<void> => {
	for (const ip of [`${shared.IPv4}/16`, `${shared.IPv6}/112`])
		await inWorkload('shares', `pod/${name}`, 'ip', 'address', 'del', ip, ...device());
};
const client = 'pod/shares/client' as const;

matrix('an address that several pods may use', {
	objects: [
		namespace('shares'),
		vip('shared', { subnet: 'ovn-default', namespace: 'shares', v4ip: shared.IPv4, v6ip: shared.IPv6 }),
		vip('plain', { subnet: 'ovn-default' }),
		pod('first', { namespace: 'shares', node: 'n1', annotations: mayUse }),
		pod('second', { namespace: 'shares', node: 'n2', annotations: mayUse }),
		pod('stranger', { namespace: 'shares', node: 'n2' }),
		pod('client', { namespace: 'shares', node: 'n3' }),
	].join(''),
	serve: { 'pod/shares/first': ['tcp/8080'], 'pod/shares/second': ['tcp/8080'], 'pod/shares/stranger': ['tcp/8080'] },
	cases: [{ from: client, to: shared, proto: 'tcp', expect: 'silent' }],
	check: async () => {
		await kube('wait', 'vip/shared', 'vip/plain', '--for=condition=Ready', '--timeout=20s');
		const { status } = await kubeJson<{ status: Record<string, string> }>('get', 'vip', 'plain');
		expect(status).toMatchObject({
			v4ip: expect.stringMatching(/^10\.16\./),
			v6ip: expect.stringMatching(/^fd00:10:16::/),
			mac: expect.stringMatching(/^02:/),
		});
	},
	steps: [
		{
			name: 'is not a stranger’s',
			before: () => addShared('stranger'),
			cases: [{ from: client, to: shared, proto: 'tcp', expect: 'silent' }],
			after: () => dropShared('stranger'),
		},
		{
			name: 'is where the first has it',
			before: () => addShared('first'),
			cases: [{ from: client, to: shared, proto: 'tcp', expect: 'passes' }],
			after: () => dropShared('first'),
		},
		{
			name: 'moves to the second on another node',
			before: () => addShared('second'),
			cases: [{ from: client, to: { IPv4: shared.IPv4 }, proto: 'ping', expect: 'passes' }],
		},
	],
	order: 'mixed',
});

const ip = (name: string, spec: object) => document({ apiVersion: 'kubeovn.io/v1', kind: 'IP', metadata: { name }, spec });

matrix('an address that was reserved', {
	objects: [
		namespace('kept'),
		ip('db.kept', { subnet: 'ovn-default', v4IpAddress: '10.16.241.1' }),
		pod('db', { namespace: 'kept', node: 'n1' }),
		pod('web', { namespace: 'kept', node: 'n2' }),
	].join(''),
	cases: [{ from: 'pod/kept/web', to: 'pod/kept/db', proto: 'tcp', expect: 'passes' }],
	check: async () => expect(await v4Of('db', 'kept')).toBe('10.16.241.1'),
	steps: [
		{
			name: 'stays when the pod goes, and waits for it',
			before: async () => void (await kube('delete', 'pod', '-n', 'kept', 'db', '--wait')),
			objects: pod('db', { namespace: 'kept', node: 'n2' }),
			cases: [{ from: 'pod/kept/web', to: 'pod/kept/db', proto: 'tcp', expect: 'passes' }],
			check: async () => expect(await kube('get', 'pod', '-n', 'kept', 'db', '-o', 'jsonpath={.status.podIP}')).toBe('10.16.241.1'),
			after: async () => void (await kube('get', 'ip', 'db.kept')),
		},
	],
	order: 'reverse',
});

/** What has to come may take its time. */
const patient = 20_000;
const mac = (name: string) => kube('get', 'ip', `${name}.spoof`, '-o', 'jsonpath={.spec.macAddress}');

matrix('port security', {
	objects: [
		namespace('spoof'),
		pod('honest', { namespace: 'spoof', node: 'n1' }),
		pod('open', { namespace: 'spoof', node: 'n1', annotations: { 'ovn.kubernetes.io/port_security': 'false' } }),
		pod('near', { namespace: 'spoof', node: 'n1' }),
		pod('far', { namespace: 'spoof', node: 'n2' }),
	].join(''),
	check: async () => {
		await using honest = await openRaw('pod/spoof/honest');
		await using open = await openRaw('pod/spoof/open');
		for (const place of ['near', 'far'] as const) {
			await using target = await openRaw(`pod/spoof/${place}`);
			const targetMac = await mac(place);
			for (const [i, strange] of ['10.16.200.200', 'fd00:10:16::c8c8'].entries()) {
				const [from, to] = [honest.addresses[i] ?? '', target.addresses[i] ?? ''];
				const own = { sourceMac: await mac('honest'), targetMac, source: from, target: to };
				const opened = { ...own, sourceMac: await mac('open'), source: open.addresses[i] ?? '' };
				expect(await honest.reaches(target, own, patient), `${place}: its own addresses pass`).toBe(true);
				expect(await honest.reaches(target, { ...own, source: strange }), `${place}: another IP address does not`).toBe(false);
				expect(await honest.reaches(target, { ...own, sourceMac: '02:00:00:00:be:ef' }), `${place}: another MAC address does not`).toBe(
					false,
				);
				expect(await open.reaches(target, opened, patient), `${place}: an open port’s own addresses pass`).toBe(true);
				expect(await open.reaches(target, { ...opened, source: strange }, patient), `${place}: and any other IP address`).toBe(true);
			}
		}
	},
});
