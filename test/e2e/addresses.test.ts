import { expect } from 'vitest';
import { kube, kubeJson } from './harness/lab.ts';
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
				await kube('wait', '-n', 'pools', '--for=condition=Ready', '--timeout=90s', 'pod', '-l', 'app=db');
				await kube('wait', '-n', 'pools', '--for=create', '--timeout=60s', 'pod/db-1');
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
				expect(await honest.reaches(target, own), `${place}: its own addresses pass`).toBe(true);
				expect(await honest.reaches(target, { ...own, source: strange }), `${place}: another IP address does not`).toBe(false);
				expect(await honest.reaches(target, { ...own, sourceMac: '02:00:00:00:be:ef' }), `${place}: another MAC address does not`).toBe(
					false,
				);
				expect(await open.reaches(target, opened), `${place}: an open port’s own addresses pass`).toBe(true);
				expect(await open.reaches(target, { ...opened, source: strange }), `${place}: and any other IP address`).toBe(true);
			}
		}
	},
});
