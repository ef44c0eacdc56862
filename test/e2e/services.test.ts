import { outsideNetns, run } from '@tapestry/lab';
import { afterAll, beforeAll, expect } from 'vitest';
import { deps, kube, kubeJson, sharedLab } from './harness/lab.ts';
import { datapathsFollow } from './harness/settled.ts';
import { type EndpointName, openEndpoint } from './matrix/endpoints.ts';
import { type Case, matrix, type Target } from './matrix/matrix.ts';
import { document, namespace, pod, subnet, vm, vpc } from './matrix/objects.ts';

/** Services in the default VPC: a (n1), b (n2) and a machine (n2) answer; near (n1) and far (n2) ask, as do nodes and the world outside. */
const ns = 'svc';
const here = { namespace: ns };
const address = (number: number): Target => ({ IPv4: `10.96.77.${number}`, IPv6: `fd00:10:96::77${number}` });
const nodes = {
	n1: { IPv4: '172.30.0.1', IPv6: 'fd00:172:30::1' },
	n2: { IPv4: '172.30.0.2', IPv6: 'fd00:172:30::2' },
	n3: { IPv4: '172.30.0.3', IPv6: 'fd00:172:30::3' },
} as const;
const outside = { IPv4: '172.30.0.254', IPv6: 'fd00:172:30::fe' };

function service(name: string, number: number, spec: object): string {
	const clusterIPs = Object.values(address(number));
	const families = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] };
	return document({
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name, namespace: ns },
		spec: { clusterIP: clusterIPs[0], clusterIPs, ...families, ...spec },
	});
}
const http = (nodePort?: number) => [{ port: 80, targetPort: 8080, ...(nodePort ? { nodePort } : {}) }];
const near = `pod/${ns}/near`;
const far = `pod/${ns}/far`;
const a = `pod/${ns}/a`;
const b = `pod/${ns}/b`;
const everybody: readonly EndpointName[] = [near, far, 'node/n1', 'node/n2', 'node/n3'];
const both = { app: 'web' };

/** Outer addresses, which the world outside sends to a node that has no endpoint of the service. */
const outer = { IPv4: '203.0.113.77', IPv6: 'fd00:203::77' };
const routes = [
	['-4', outer.IPv4, nodes.n3.IPv4],
	['-6', outer.IPv6, nodes.n3.IPv6],
] as const;
const route = async (verb: 'add' | 'del'): Promise<void> => {
	for (const [family, to, via] of routes) await run(deps, ['ip', '-n', outsideNetns(sharedLab()), family, 'route', verb, to, 'via', via]);
};
beforeAll(() => route('add'));
afterAll(() => route('del'));

matrix('services', {
	objects: [
		namespace(ns),
		pod('a', { ...here, node: 'n1', labels: { ...both, name: 'a' } }),
		pod('b', { ...here, node: 'n2', labels: both }),
		pod('near', { ...here, node: 'n1' }),
		pod('far', { ...here, node: 'n2' }),
		vm('vm', { ...here, node: 'n2', labels: { name: 'vm' } }),
		service('web', 1, {
			selector: both,
			type: 'NodePort',
			ports: [
				{ name: 'tcp', port: 80, targetPort: 8080, nodePort: 30677 },
				{ name: 'udp', protocol: 'UDP', port: 53, targetPort: 8053 },
			],
		}),
		service('self', 2, { selector: { name: 'a' }, ports: http() }),
		service('nobody', 3, { selector: { name: 'nobody' }, type: 'NodePort', ports: http(30678) }),
		service('machine', 4, { selector: { name: 'vm' }, ports: [{ port: 80 }] }),
		service('local', 5, { selector: { name: 'a' }, type: 'NodePort', externalTrafficPolicy: 'Local', ports: http(30679) }),
		service('beside', 6, { selector: { name: 'a' }, internalTrafficPolicy: 'Local', ports: http() }),
		service('outer', 8, { selector: both, type: 'LoadBalancer', loadBalancerIP: Object.values(outer).join(','), ports: http() }),
		service('asked', 9, {
			selector: { name: 'a' },
			type: 'LoadBalancer',
			externalTrafficPolicy: 'Local',
			healthCheckNodePort: 30681,
			ports: http(30680),
		}),
		service('sticky', 7, { selector: both, sessionAffinity: 'ClientIP', ports: http() }),
	].join(''),
	serve: { [a]: ['tcp/8080', 'udp/8053'], [b]: ['tcp/8080', 'udp/8053'] },
	cases: [
		...everybody.flatMap((from): Case[] => [
			{ from, to: address(1), proto: 'tcp', port: 80, expect: 'passes', by: [a, b] },
			{ from, to: address(1), proto: 'udp', port: 53, expect: 'passes', by: [a, b] },
			{ from, to: address(3), proto: 'tcp', port: 80, expect: 'refused' },
			{ from, to: address(4), proto: 'tcp', port: 80, expect: 'passes' },
			{ from, to: address(1), proto: 'tcp', port: 81, expect: 'refused' },
		]),
		{ from: a, to: address(2), proto: 'tcp', port: 80, expect: 'passes', by: [a] },
		{ from: `vm/${ns}/vm`, to: address(4), proto: 'tcp', port: 80, expect: 'passes' },
		{ from: `vm/${ns}/vm`, to: address(1), proto: 'tcp', port: 80, expect: 'passes', by: [a, b] },
		...[near, far, 'node/n1', 'outside'].flatMap((from): Case[] =>
			Object.values(nodes).flatMap((to): Case[] => [
				{ from: from as EndpointName, to, proto: 'tcp', port: 30677, expect: 'passes', by: [a, b] },
				{ from: from as EndpointName, to, proto: 'tcp', port: 30678, expect: 'refused' },
			]),
		),
		// The client's address is kept, so only the node of the endpoint answers; pods of the cluster are led on.
		{ from: 'outside', to: nodes.n1, proto: 'tcp', port: 30679, expect: 'passes', by: [a], seen: outside },
		{ from: 'outside', to: nodes.n2, proto: 'tcp', port: 30679, expect: 'silent' },
		{ from: far, to: nodes.n2, proto: 'tcp', port: 30679, expect: 'passes', by: [a] },
		{ from: near, to: address(6), proto: 'tcp', port: 80, expect: 'passes', by: [a] },
		{ from: 'node/n1', to: address(6), proto: 'tcp', port: 80, expect: 'passes', by: [a] },
		...([near, far, 'outside'] as const).map((from): Case => ({ from, to: outer, proto: 'tcp', port: 80, expect: 'passes', by: [a, b] })),
		{ from: 'outside', to: nodes.n1, proto: 'tcp', port: 30681, expect: 'passes' },
		{ from: far, to: address(6), proto: 'tcp', port: 80, expect: 'refused' },
		{ from: 'node/n2', to: address(6), proto: 'tcp', port: 80, expect: 'refused' },
	],
	check: async () => {
		await kube('wait', '-n', ns, '--for=condition=tapestry.io/LoadBalancer', '--timeout=20s', 'service/outer');
		const sticky = [near, far, 'node/n3'] as const;
		// A node learns by the first connection who is asked from then on.
		for (const from of sticky) await whoAnswers(from, address(7), 1);
		await datapathsFollow();
		for (const from of sticky) expect(await whoAnswers(from, address(7))).toHaveLength(1);
		expect(await whoAnswers(near, address(1))).toHaveLength(2);
		const { items } = await kubeJson<{ items: { endpoints: unknown[] }[] }>(
			'get',
			'endpointslices',
			'-n',
			ns,
			'-l',
			'kubernetes.io/service-name=machine',
		);
		expect(items.map(({ endpoints }) => endpoints.length)).toEqual([1, 1]);
	},
});

/** Everybody who answers one of several connections. All of 20 fair choices fall on one of two once in half a million. */
async function whoAnswers(from: EndpointName, to: Target, connections = 20): Promise<string[]> {
	await using endpoint = await openEndpoint(from);
	const found = new Set<string>();
	for (let i = 0; i < connections; i++) {
		const { by = '' } = await endpoint.probe({ protocol: 'tcp', address: to.IPv4 ?? '', port: 80, milliseconds: 10_000 });
		found.add(by);
	}
	return [...found];
}

/** The same addresses as the default VPC's pods have, and a balancer's address on the tenant's own switch. */
const tenant = 'svc-blue';
const client = `pod/${tenant}/client`;
const server = `pod/${tenant}/server`;
const alert = `pod/${tenant}/alert`;
const rule = (name: string, spec: object): string =>
	document({
		apiVersion: 'kubeovn.io/v1',
		kind: 'SwitchLBRule',
		metadata: { name },
		spec: { namespace: tenant, selector: ['app: db'], ...spec },
	});
const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];
const elsewhere = { IPv4: '198.51.100.9', IPv6: 'fd00:198::9' };

matrix("services in a tenant's VPC", {
	objects: [
		namespace(tenant),
		vpc(tenant, { namespaces: [tenant] }),
		subnet(`${tenant}-net`, {
			vpc: tenant,
			cidrBlock: '10.16.0.0/24,fd00:10:16::/120',
			namespaces: [tenant],
			excludeIps: ['10.16.0.200', '10.16.0.250'],
		}),
		pod('client', { namespace: tenant, node: 'n1' }),
		pod('server', { namespace: tenant, node: 'n2', labels: { app: 'db' } }),
		namespace(ns),
		pod('near', { ...here, node: 'n1' }),
		service('db', 20, { selector: { app: 'db' }, ports: http() }).replace(`"namespace":"${ns}"`, `"namespace":"${tenant}"`),
		rule('svc-near', { vip: '10.16.0.200', ports }),
		rule('svc-far', { vip: Object.values(elsewhere).join(','), ports, sessionAffinity: 'ClientIP' }),
		pod('deaf', { namespace: tenant, node: 'n1', labels: { app: 'asked' } }),
		pod('alert', { namespace: tenant, node: 'n2', labels: { app: 'asked' } }),
		rule('svc-asked', { vip: '198.51.100.10', ports: [{ name: 'http', port: 80, targetPort: 8090 }], selector: ['app: asked'] }).replace(
			'"metadata":{',
			'"metadata":{"annotations":{"tapestry.io/health-check-source":"10.16.0.250"},',
		),
		rule('svc-refused', { vip: '10.16.0.201', ports }),
	].join(''),
	serve: { [server]: ['tcp/8080'], [alert]: ['tcp/8090'] },
	cases: [
		{ from: client, to: address(20), proto: 'tcp', port: 80, expect: 'passes', by: [server] },
		{ from: client, to: { IPv4: '10.16.0.200' }, proto: 'tcp', port: 80, expect: 'passes', by: [server] },
		{ from: client, to: elsewhere, proto: 'tcp', port: 80, expect: 'passes', by: [server] },
		{ from: server, to: elsewhere, proto: 'tcp', port: 80, expect: 'passes', by: [server] },
		// Nobody else's.
		{ from: near, to: address(20), proto: 'tcp', port: 80, expect: 'refused' },
		{ from: 'node/n1', to: address(20), proto: 'tcp', port: 80, expect: 'refused' },
	],
	check: async () => {
		const { status } = await kubeJson<{ status: { conditions: { type: string; reason: string }[] } }>(
			'get',
			'switch-lb-rule',
			'svc-refused',
		);
		expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', reason: 'VipNotReserved' }));
		// The deaf one is left out once it has missed three questions.
		await expect.poll(() => whoAnswers(client, { IPv4: '198.51.100.10' }), { timeout: 60_000, interval: 1000 }).toEqual([alert]);
	},
});
