import { labProcesses, outsideNetns, programPid, run } from '@tapestry/lab';
import { expect } from 'vitest';
import { deps, inWorkload, kube, kubeJson, sharedLab } from './harness/lab.ts';
import { type Case, matrix, refusal } from './matrix/matrix.ts';
import { namespace, pod, subnet, vm } from './matrix/objects.ts';

interface SubnetObject {
	readonly spec: { readonly gateway: string };
	readonly status: {
		readonly cidrBlock: string;
		readonly activateGateway: string;
	};
}
const found = (name: string) => kubeJson<SubnetObject>('get', 'subnet', name);

const nodes = { n1: ['172.30.0.1', 'fd00:172:30::1'], n2: ['172.30.0.2', 'fd00:172:30::2'], n3: ['172.30.0.3', 'fd00:172:30::3'] } as const;
type NodeName = keyof typeof nodes;
/** Who leaves, and by which of the nodes. */
const leaves = (from: Case['from'], ...by: NodeName[]): Case => ({
	from,
	to: 'outside',
	proto: 'tcp',
	expect: 'passes',
	seen: { IPv4: by.map((node) => nodes[node][0]), IPv6: by.map((node) => nodes[node][1]) },
});
const a = 'pod/ways/a' as const;
const b = 'pod/ways/b' as const;
const own = { a: ['10.84.0.10', 'fd00:84::10'], b: ['10.84.0.11', 'fd00:84::11'] } as const;
const ways = (spec: object) =>
	subnet('net-ways', { cidrBlock: '10.84.0.0/24,fd00:84::/120', namespaces: ['ways'], natOutgoing: true, ...spec });
const central = (gatewayNode: string, more: object = {}) => ways({ gatewayType: 'centralized', gatewayNode, ...more });
const fixed = (ips: readonly string[]) => ({ 'ovn.kubernetes.io/ip_address': ips.join(',') });
const everywhere = (['ping', 'udp'] as const).map((proto): Case => ({ from: a, to: b, proto, expect: 'passes' }));

/** What a centralized gateway's node does when its kubelet falls silent is told by the node's condition. */
async function loseNode(): Promise<void> {
	process.kill(kubelet(), 'SIGSTOP');
	const lost = { status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] } };
	await kube('patch', 'node', 'n2', '--subresource=status', '--type=strategic', '-p', JSON.stringify(lost));
}

async function findNode(): Promise<void> {
	process.kill(kubelet(), 'SIGCONT');
	await kube('wait', 'node/n2', '--for=condition=Ready', '--timeout=60s');
}

function kubelet(): number {
	const pid = programPid(sharedLab(), 'n2-kubelet');
	if (pid === undefined || !labProcesses(sharedLab()).includes(pid)) throw new Error('the kubelet of n2 does not run');
	return pid;
}

const route = (verb: 'add' | 'del') =>
	Promise.all(
		([0, 1] as const).map((i) => {
			const family = i === 0 ? '-4' : '-6';
			return run(deps, ['ip', family, '-n', outsideNetns(sharedLab()), 'route', verb, own.a[i], 'via', nodes.n1[i]]);
		}),
	);

matrix('the ways out of a subnet', {
	objects: [
		namespace('ways'),
		ways({ mtu: 1300 }),
		pod('a', { namespace: 'ways', node: 'n1', annotations: fixed(own.a) }),
		pod('b', { namespace: 'ways', node: 'n2', annotations: fixed(own.b) }),
		vm('machine', { namespace: 'ways', node: 'n1' }),
	].join(''),
	cases: [leaves(a, 'n1'), leaves(b, 'n2'), leaves('vm/ways/machine', 'n1'), ...everywhere],
	check: async () => {
		expect((await inWorkload('ways', 'pod/a', 'ip', '-o', 'link', 'show', 'eth0')).stdout).toContain('mtu 1300 ');
		const ping = (size: number) => inWorkload('ways', 'pod/a', 'ping', '-M', 'do', '-c', '1', '-W', '20', '-s', String(size), own.b[0]);
		expect((await ping(1300 - 28)).status).toBe(0);
		expect((await ping(1300 - 27)).status).not.toBe(0);
	},
	steps: [
		{
			name: 'by one node',
			keep: true,
			objects: central('n2'),
			cases: [leaves(a, 'n2'), leaves(b, 'n2'), leaves('vm/ways/machine', 'n2'), ...everywhere],
			check: () => active('n2'),
		},
		{
			name: 'by the next node when one is lost',
			keep: true,
			objects: central('n2,n3'),
			before: loseNode,
			cases: [leaves(a, 'n3'), leaves(b, 'n3')],
			check: () => active('n3'),
			after: findNode,
		},
		{ name: 'by the preferred node again', cases: [leaves(a, 'n2')], check: () => active('n2') },
		{
			name: 'by several',
			keep: true,
			objects: central('n2,n3', { enableEcmp: true }),
			cases: [leaves(a, 'n2', 'n3')],
			check: () => active('n2,n3'),
		},
		{
			name: 'by a node with a label',
			keep: true,
			objects: central('', { enableEcmp: false, gatewayNodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'n3' } }] }),
			cases: [leaves(a, 'n3'), leaves(b, 'n3')],
		},
		{
			name: 'by nobody',
			keep: true,
			objects: central('n9', { gatewayNodeSelectors: [] }),
			cases: [{ from: a, to: 'outside', proto: 'tcp', expect: 'silent' }, ...everywhere],
		},
		{
			name: 'with the own address, by a rule',
			keep: true,
			objects: ways({
				gatewayType: 'distributed',
				gatewayNode: '',
				natOutgoingPolicyRules: [
					{ match: { srcIPs: `${own.a[0]},${own.a[1]}`, dstIPs: '172.30.0.0/24,fd00:172:30::/64' }, action: 'forward' },
					{ match: { dstIPs: '172.30.0.0/24' }, action: 'nat' },
				],
			}),
			before: async () => void (await route('add')),
			cases: [{ ...leaves(a, 'n1'), seen: { IPv4: own.a[0], IPv6: own.a[1] } }, leaves(b, 'n2')],
			after: async () => void (await route('del')),
		},
		{
			name: 'not at all without natOutgoing, as nobody outside knows the way back',
			keep: true,
			objects: ways({ natOutgoing: false, natOutgoingPolicyRules: [] }),
			cases: [{ from: a, to: 'outside', proto: 'tcp', expect: 'silent' }, ...everywhere],
		},
	],
});

async function active(wanted: string): Promise<void> {
	await kube('wait', 'subnet/net-ways', `--for=jsonpath={.status.activateGateway}=${wanted}`, '--timeout=20s');
}

const grows = (cidrBlock: string, more: object = {}) => subnet('net-grows', { cidrBlock, namespaces: ['grows'], ...more });
const addressOf = (name: string) => kube('get', 'ip', `${name}.grows`, '-o', 'jsonpath={.spec.ipAddress}');
const both = (from: string, to: string, expected: Case['expect'] = 'passes'): Case[] => [
	{ from: `pod/grows/${from}`, to: `pod/grows/${to}`, proto: 'tcp', expect: expected },
	{ from: `pod/grows/${to}`, to: `pod/grows/${from}`, proto: 'ping', expect: expected },
];
const small = JSON.stringify({ spec: { cidrBlock: '10.85.0.0/29,fd00:85::/125', excludeIps: [] } });
const one = (name: string, node: string) => pod(name, { namespace: 'grows', node });

matrix('a block that changes under those who use it', {
	objects: [namespace('grows'), grows('10.85.0.0/29,fd00:85::/125'), one('a', 'n1'), one('b', 'n2')].join(''),
	cases: both('a', 'b'),
	check: async () => expect([await addressOf('a'), await addressOf('b')].sort()).toEqual(['10.85.0.2,fd00:85::2', '10.85.0.3,fd00:85::3']),
	steps: [
		{
			name: 'grown, and the next addresses kept back',
			keep: true,
			objects: [
				grows('10.85.0.0/24,fd00:85::/120', { excludeIps: ['10.85.0.4..10.85.0.99', 'fd00:85::4..fd00:85::63'] }),
				one('c', 'n2'),
			].join(''),
			cases: [...both('a', 'b'), ...both('a', 'c')],
			check: async () => {
				expect(await addressOf('c')).toBe('10.85.0.100,fd00:85::64');
				expect((await found('net-grows')).status.cidrBlock).toBe('10.85.0.0/24,fd00:85::/120');
			},
		},
		{
			name: 'not shrunk while somebody would be left out',
			cases: [...both('a', 'b'), ...both('a', 'c')],
			check: async () => {
				expect(await refusal('patch', 'subnet', 'net-grows', '--type=merge', '-p', small)).toContain('c.grows (10.85.0.100)');
				expect(await refusal('patch', 'subnet', 'net-grows', '--type=merge', '-p', '{"spec":{"vpc":"other"}}')).toContain('cannot change');
			},
		},
		{
			name: 'shrunk when they are gone',
			keep: true,
			before: async () => {
				await kube('delete', 'pod', '-n', 'grows', 'c', '--wait');
				await kube('patch', 'subnet', 'net-grows', '--type=merge', '-p', small);
			},
			cases: both('a', 'b'),
			check: async () => {
				await kube('wait', 'subnet/net-grows', '--for=condition=Validated', '--timeout=20s');
				expect((await found('net-grows')).status.cidrBlock).toBe('10.85.0.0/29,fd00:85::/125');
			},
		},
	],
	order: 'reverse',
});

matrix('a subnet for namespaces with a label', {
	objects: [
		namespace('team-x', { team: 'x' }),
		namespace('team-y', { team: 'y' }),
		subnet('net-team', {
			cidrBlock: '10.86.0.0/24',
			namespaceSelectors: [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['x'] }] }],
		}),
		pod('p', { namespace: 'team-x', node: 'n1' }),
		pod('p', { namespace: 'team-y', node: 'n2' }),
	].join(''),
	cases: [{ from: 'pod/team-x/p', to: 'pod/team-y/p', proto: 'tcp', families: ['IPv4'], expect: 'passes', seen: { IPv4: '10.86.0.2' } }],
	order: 'mixed',
});
