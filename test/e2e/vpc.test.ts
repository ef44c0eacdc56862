import { expect } from 'vitest';
import { kubeJson, type PodStatus } from './harness/lab.ts';
import { type Case, matrix } from './matrix/matrix.ts';
import { namespace, pod, subnet, vm, vpc } from './matrix/objects.ts';

/** A tenant with a pod on two nodes. */
const tenant = (name: string, cidrBlock: string, spec: object = {}) => [
	namespace(name),
	vpc(`vpc-${name}`, { namespaces: [name], ...spec }),
	subnet(`net-${name}`, { vpc: `vpc-${name}`, cidrBlock, namespaces: [name] }),
	pod('on-n1', { namespace: name, node: 'n1' }),
	pod('on-n2', { namespace: name, node: 'n2' }),
];
const both = '10.88.0.0/24,fd00:88::/120';

/** The other pod of the tenant has this address in both; who answers tells which one it was. */
const ownOnly = (name: string): Case[] =>
	(['tcp', 'udp'] as const).map((proto) => {
		const other = `pod/${name}/on-n2` as const;
		return { from: `pod/${name}/on-n1`, to: other, proto, expect: 'passes', by: [other] };
	});

matrix('two VPCs with one CIDR', {
	objects: [...tenant('red', both), ...tenant('blue', both)].join(''),
	cases: [
		...ownOnly('red'),
		...ownOnly('blue'),
		...[['10.16.0.1', 'fd00:10:16::1'], ['172.30.0.1'], ['172.30.0.254', 'fd00:172:30::fe']].map(
			([IPv4 = '', IPv6]): Case => ({
				from: 'pod/red/on-n1',
				to: { IPv4, ...(IPv6 ? { IPv6 } : {}) },
				proto: 'ping',
				expect: 'silent',
			}),
		),
	],
	check: async () => {
		const ips = await Promise.all(
			['red', 'blue'].map(async (name) => {
				const { items } = await kubeJson<{ items: PodStatus[] }>('get', 'pods', '-n', name);
				return items.flatMap(({ status }) => status.podIPs.map(({ ip }) => ip)).sort();
			}),
		);
		expect(ips[0]).toEqual(['10.88.0.2', '10.88.0.3', 'fd00:88::2', 'fd00:88::3']);
		expect(ips[1]).toEqual(ips[0]);
	},
	order: 'forward',
});

/** Routes and links between two VPCs and the default one. */
const left = { cidr: '10.81.0.0/24,fd00:81::/120', v4: '10.81.0.0/24', v6: 'fd00:81::/120' };
const right = { cidr: '10.82.0.0/24,fd00:82::/120', v4: '10.82.0.0/24', v6: 'fd00:82::/120' };
const side = (remote: string, number: number) => ({
	remoteVpc: remote,
	localConnectIP: `169.254.81.${number}/30,fd00:8182::${number}/126`,
});
const over = (number: number, to: typeof left) => [
	{ cidr: to.v4, nextHopIP: `169.254.81.${number}` },
	{ cidr: to.v6, nextHopIP: `fd00:8182::${number}` },
];
const linkedLeft = { namespaces: ['left'], vpcPeerings: [side('vpc-right', 1)], staticRoutes: over(2, right) };
const linkedRight = { namespaces: ['right'], vpcPeerings: [side('vpc-left', 2)], staticRoutes: over(1, left) };
const across = (expect: Case['expect']): Case[] =>
	(['ping', 'tcp', 'udp'] as const).flatMap((proto): Case[] => [
		{ from: 'pod/left/on-n1', to: 'pod/right/on-n1', proto, expect },
		{ from: 'pod/right/on-n2', to: 'pod/left/on-n1', proto, expect },
		...(proto === 'udp' ? [] : machine(proto, expect)),
	]);
const machine = (proto: 'ping' | 'tcp', expect: Case['expect']): Case[] => [
	{ from: 'pod/left/on-n1', to: 'vm/right/machine', proto, expect },
	{ from: 'vm/right/machine', to: 'pod/left/on-n1', proto, expect },
];
const second = [
	subnet('net-left-2', { vpc: 'vpc-left', cidrBlock: '10.83.0.0/24,fd00:83::/120' }),
	pod('second', { namespace: 'left', node: 'n3', annotations: { 'ovn.kubernetes.io/logical_switch': 'net-left-2' } }),
].join('');

matrix('routes and links of VPCs', {
	objects: [...tenant('left', left.cidr), ...tenant('right', right.cidr), vm('machine', { namespace: 'right', node: 'n3' })].join(''),
	cases: across('silent'),
	order: 'mixed',
	steps: [
		{
			name: 'many subnets of one VPC reach each other',
			objects: second,
			cases: (['ping', 'tcp'] as const).flatMap((proto): Case[] => [
				{ from: 'pod/left/on-n1', to: 'pod/left/second', proto, expect: 'passes' },
				{ from: 'pod/left/second', to: 'pod/left/on-n2', proto, expect: 'passes' },
			]),
		},
		{ name: 'a link needs both sides', objects: vpc('vpc-left', linkedLeft), keep: true, cases: across('silent'), check: oneSided },
		{ name: 'a link', objects: vpc('vpc-right', linkedRight), keep: true, cases: across('passes') },
		{
			name: 'a policy route that drops',
			keep: true,
			objects: vpc('vpc-left', {
				...linkedLeft,
				policyRoutes: [
					{ priority: 10, match: 'tcp.dst == 8080', action: 'drop' },
					{ priority: 20, match: `ip4.dst == ${right.v4} && tcp`, action: 'allow' },
				],
			}),
			cases: [
				{ from: 'pod/left/on-n1', to: 'pod/right/on-n1', proto: 'tcp', families: ['IPv4'], expect: 'passes' },
				{ from: 'pod/left/on-n1', to: 'pod/right/on-n1', proto: 'tcp', families: ['IPv6'], expect: 'silent' },
				{ from: 'pod/left/on-n1', to: 'pod/right/on-n1', proto: 'udp', expect: 'passes' },
			],
		},
		{
			name: 'a policy route that reroutes, over two next hops, and a route for sources',
			keep: true,
			objects: vpc('vpc-left', {
				namespaces: ['left'],
				vpcPeerings: [side('vpc-right', 1)],
				policyRoutes: [{ priority: 10, match: `ip6.dst == ${right.v6}`, action: 'reroute', nextHopIP: 'fd00:8182::2' }],
				staticRoutes: [
					{ policy: 'policySrc', cidr: left.v4, nextHopIP: '169.254.81.2' },
					{ cidr: '::/0', nextHopIP: 'fd00:81::fe' },
				],
			}),
			cases: [{ from: 'pod/left/on-n1', to: 'pod/right/on-n1', proto: 'tcp', expect: 'passes' }],
		},
		{
			name: 'the link gone on one side',
			objects: vpc('vpc-right', { namespaces: ['right'], vpcPeerings: [], staticRoutes: [] }),
			keep: true,
			cases: across('silent'),
		},
	],
});

async function oneSided(): Promise<void> {
	const { status } = await kubeJson<{
		status: { conditions: { type: string; status: string; message: string }[]; vpcPeerings?: string[] };
	}>('get', 'vpc', 'vpc-left');
	const validated = status.conditions.find(({ type }) => type === 'Validated');
	expect(validated).toMatchObject({ status: 'False', message: expect.stringContaining('Vpc vpc-right does not name vpc-left') });
	expect(status.vpcPeerings ?? []).toEqual([]);
}
