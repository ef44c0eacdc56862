import { service, port as servicePort, slice, subnet, vpc } from '../../compile/testing/worlds.ts';
import type { PolicyFacts, RuleFacts, SecurityRuleFacts } from '../../world/policies.ts';
import { PolicySet } from '../../world/policy-set.ts';
import { selectorKey } from '../../world/selector.ts';
import type { World } from '../../world/world.ts';
import type { Reason } from '../answer.ts';
import { nothingObserved, type Observed, type ReachQuestion, type Target } from '../question.ts';
import { block, ip, plantedWorld, pod, toAddress, toPod } from './planted.ts';

/** A network with one fault in it, and what has to be said of it. */
export interface Fault {
	readonly name: string;
	readonly world: World;
	readonly to: Target;
	readonly more?: Partial<ReachQuestion>;
	readonly observed?: Partial<Observed>;
	/** A port that is not plugged in. */
	readonly down?: string;
	readonly reason: Reason;
	readonly object: string;
	readonly path?: string | RegExp;
	/** What the advice has to speak of. */
	readonly fix?: RegExp;
}

/** What varies beside the fault. */
export interface Variation {
	readonly family: 4 | 6;
	/** The pod that is asked for: on the sender's switch, or beyond the router. */
	readonly target: 'b' | 'c';
	readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp';
	readonly port: number;
}

const selectorOf = (name: string) => ({ namespaces: 'shop', pods: { matchLabels: { app: name } } });
const nobody = selectorOf('nobody');

/** The pods with labels of their own, and rules about others that change nothing. */
function baseWorld(changes: { readonly groups?: Readonly<Record<string, readonly string[]>> } = {}): World {
	const world = plantedWorld();
	const own = (name: string) => ({ namespace: 'shop', labels: { app: name }, securityGroups: changes.groups?.[name] ?? [] });
	pod(world, 'a', 2, own('a'));
	pod(world, 'b', 3, { ...own('b'), node: 'n2' });
	pod(world, 'c', 4, { ...own('c'), subnet: 'second', block: '17', node: 'n2' });
	return world;
}

type PolicyKind = 'NetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy';

function withPolicy(world: World, kind: PolicyKind, key: string, subject: string, facts: Partial<PolicyFacts>): World {
	const set = new PolicySet(world);
	const bystander = { isolates: ['ingress', 'egress'], rules: [], priority: 0 } as const;
	const selectors = ['a', 'b', 'c'].map(selectorOf).concat(nobody);
	const noise = { owner: 'NetworkPolicy/shop/noise', subject: selectorKey(nobody), ...bystander };
	set.set('NetworkPolicy', 'shop/noise', { facts: noise, selectors, portNames: [] });
	const own = { owner: `${kind}/${key}`, subject: selectorKey(selectorOf(subject)), isolates: [], rules: [], priority: 0, ...facts };
	set.set(kind, key, { facts: own, selectors, portNames: [] });
	return world;
}

const rule = (direction: RuleFacts['direction'], more: Partial<RuleFacts> = {}): RuleFacts => ({
	path: `spec.${direction}[0]`,
	direction,
	action: 'allow',
	peer: undefined,
	traffic: undefined,
	...more,
});

const securityRule = (direction: RuleFacts['direction'], more: Partial<SecurityRuleFacts>): SecurityRuleFacts => ({
	...rule(direction),
	path: `spec.${direction}Rules[0]`,
	priority: 1,
	family: undefined,
	local: undefined,
	...more,
});

const route = (cidr: string, nextHop: string) => ({ cidr, nextHop, policy: 'dst-ip', table: '', isSymmetric: false }) as const;

/** Every kind of fault once, in the given variation. */
export function faultsOf({ family, target, protocol, port }: Variation): readonly Fault[] {
	const to = toPod(target);
	const more = { family, protocol, targetPort: port };
	const object = `Pod/shop/${target}`;
	const targetSubnet = target === 'b' ? 'ovn-default' : 'second';
	const policy = (kind: PolicyKind, key: string, subject: string, facts: Partial<PolicyFacts>) =>
		withPolicy(baseWorld(), kind, key, subject, facts);
	const np = (name: string, subject: string, facts: Partial<PolicyFacts>, path: RegExp | string): Fault => {
		const world = policy('NetworkPolicy', 'shop/np', subject, facts);
		const fix = facts.isolates?.[0] === 'egress' ? /spec\.egress in NetworkPolicy shop\/np/ : /spec\.ingress in NetworkPolicy shop\/np/;
		return { name, world, to, more, reason: 'policy', object: 'NetworkPolicy/shop/np', path, fix };
	};
	const otherPort = [{ protocol: 'tcp', destination: { first: 9999, last: 9999 }, source: undefined }] as const;
	const toSelector = (name: string) => ({ kind: 'selector', selector: selectorKey(selectorOf(name)) }) as const;
	const rules = (name: string, kind: PolicyKind, subject: string, one: RuleFacts): Fault => {
		const key = kind === 'AdminNetworkPolicy' ? 'anp' : 'default';
		return {
			name,
			world: policy(kind, key, subject, { rules: [one] }),
			to,
			more,
			reason: 'policy',
			object: `${kind}/${key}`,
			path: one.path,
		};
	};
	const group = (name: string, who: string, own: readonly SecurityRuleFacts[]): Fault => {
		const world = baseWorld({ groups: { [who]: ['red'] } });
		world.set('SecurityGroup', 'red', { name: 'red', rules: own, allowsSameGroup: false });
		return { name, world, to, more, reason: 'policy', object: 'SecurityGroup/red' };
	};
	const anySubnet = (name: string, which: string, facts: Parameters<typeof subnet>[1], reason: Reason, path: string): Fault => {
		const world = baseWorld();
		world.set('Subnet', which, subnet(which, { blocks: block(which === 'second' ? '17' : '16'), ...facts }));
		return { name, world, to, more, reason, object: `Subnet/${which}`, path };
	};
	const acl = (direction: RuleFacts['direction'], action: 'drop' | 'reject') => ({
		acls: [{ path: 'spec.acls[0]', direction, match: family === 4 ? 'ip4' : 'ip6', action }],
	});
	const changed = (
		name: string,
		change: (world: World) => void,
		rest: Omit<Fault, 'name' | 'world' | 'more' | 'to'> & Partial<Pick<Fault, 'to' | 'more'>>,
	): Fault => {
		const world = baseWorld();
		change(world);
		return { name, world, to, more, ...rest };
	};
	const withService = (world: World, isReady: boolean | undefined) => {
		const clusterIps = ['10.96.0.9', 'fd00:96::9'];
		world.set('Service', 'shop/web', service('web', { namespace: 'shop', clusterIps, ports: [servicePort(port)] }));
		const address = family === 4 ? '10.16.0.3' : 'fd00:10:16::3';
		const facts = { service: 'shop/web', ports: { '': port } };
		if (isReady !== undefined) world.set('EndpointSlice', 'shop/web', slice('', family, [isReady ? address : `!${address}`], facts));
	};
	const vip = { to: toAddress(family === 4 ? '10.96.0.9' : 'fd00:96::9', 'Service/shop/web'), more: { ...more, protocol: 'tcp' } } as const;
	const address = (v4: string, v6: string) => toAddress(family === 4 ? v4 : v6);
	const peer = (name: string, remote: string, own: string, routes: ReturnType<typeof route>[]) =>
		vpc(name, { peerings: [{ remote, networks: [`169.254.0.${own}/24`, `fd00:169::${own}/120`] }], staticRoutes: routes });
	const toBlue = family === 4 ? route('10.18.0.0/16', '169.254.0.2') : route('fd00:10:18::/112', 'fd00:169::2');
	const node = (name: string) => new Map([[name, { addresses: [], isReady: false, trouble: 'the kubelet stopped posting status' }]]);
	return [
		np('policy isolates the receiver', target, { isolates: ['ingress'] }, /podSelector/),
		np('policy isolates the sender', 'a', { isolates: ['egress'] }, /podSelector/),
		np('policy lets another port in', target, { isolates: ['ingress'], rules: [rule('ingress', { traffic: otherPort })] }, /podSelector/),
		np(
			'policy lets another pod in',
			target,
			{ isolates: ['ingress'], rules: [rule('ingress', { peer: toSelector('nobody') })] },
			/podSelector/,
		),
		np(
			'policy lets out to another pod',
			'a',
			{ isolates: ['egress'], rules: [rule('egress', { peer: toSelector('nobody') })] },
			/podSelector/,
		),
		rules('administrator denies entry', 'AdminNetworkPolicy', target, rule('ingress', { action: 'deny', peer: toSelector('a') })),
		rules('administrator denies leaving', 'AdminNetworkPolicy', 'a', rule('egress', { action: 'deny' })),
		rules('baseline denies entry', 'BaselineAdminNetworkPolicy', target, rule('ingress', { action: 'deny' })),
		rules('baseline denies leaving', 'BaselineAdminNetworkPolicy', 'a', rule('egress', { action: 'deny', peer: toSelector(target) })),
		group('security group without rules at the receiver', target, []),
		group('security group without rules at the sender', 'a', []),
		group('security group denies', target, [securityRule('ingress', { action: 'deny' })]),
		anySubnet('receiver’s subnet drops', targetSubnet, acl('ingress', 'drop'), 'policy', 'spec.acls[0]'),
		anySubnet('sender’s subnet rejects', 'ovn-default', acl('egress', 'reject'), 'policy', 'spec.acls[0]'),
		changed('private subnet', (world) => world.set('Subnet', 'second', subnet('second', { blocks: block('17'), privateTo: [] })), {
			to: toPod('c'),
			reason: 'private-subnet',
			object: 'Subnet/second',
			path: 'spec.private',
		}),
		changed(
			'policy route drops',
			(world) => {
				const match = family === 4 ? 'ip4.dst == 10.17.0.4' : 'ip6.dst == fd00:10:17::4';
				const drop = { priority: 31_500, match, action: 'drop', nextHops: [], path: 'spec.policyRoutes[0]' } as const;
				world.set('Vpc', 'ovn-cluster', vpc('ovn-cluster', { policyRoutes: [drop] }));
			},
			{ to: toPod('c'), reason: 'route-policy', object: 'Vpc/ovn-cluster', path: 'spec.policyRoutes[0]' },
		),
		changed('another VPC', () => {}, { to: toPod('d'), reason: 'other-vpc', object: 'Vpc/ovn-cluster', path: 'spec.vpcPeerings' }),
		changed(
			'the other VPC knows no way back',
			(world) => {
				world.set('Vpc', 'ovn-cluster', peer('ovn-cluster', 'blue', '1', [toBlue]));
				world.set('Vpc', 'blue', peer('blue', 'ovn-cluster', '2', []));
			},
			{ to: toPod('d'), reason: 'no-route', object: 'Vpc/blue', path: 'spec.staticRoutes' },
		),
		changed('no route', () => {}, {
			to: address('192.0.2.1', '2001:db8::1'),
			more: { ...more, from: { object: 'Pod/shop/d', port: 'd.shop' } },
			reason: 'no-route',
			object: 'Vpc/blue',
			path: 'spec.staticRoutes',
		}),
		changed(
			'nobody has the next hop',
			(world) => {
				const hop = family === 4 ? route('192.0.2.0/24', '10.17.0.77') : route('2001:db8::/32', 'fd00:10:17::77');
				world.set('Vpc', 'ovn-cluster', vpc('ovn-cluster', { staticRoutes: [hop] }));
			},
			{ to: address('192.0.2.1', '2001:db8::1'), reason: 'no-next-hop', object: 'Vpc/ovn-cluster', path: 'spec.staticRoutes' },
		),
		changed('nobody has the address', () => {}, {
			to: address('10.17.0.99', 'fd00:10:17::99'),
			reason: 'no-such-address',
			object: 'Subnet/second',
		}),
		changed('no address yet', (world) => world.set('IP', `${target}.shop`, undefined), {
			observed: { waiting: new Map([[object, 'the subnet is full']]) },
			reason: 'no-address',
			object,
		}),
		changed('sender has no address yet', (world) => world.set('IP', 'a.shop', undefined), { reason: 'no-address', object: 'Pod/shop/a' }),
		changed('port down', () => {}, { down: `${target}.shop`, reason: 'port-down', object }),
		changed('sender’s port down', () => {}, { down: 'a.shop', reason: 'port-down', object: 'Pod/shop/a' }),
		changed('node down', () => {}, { observed: { nodes: node('n2') }, reason: 'node-down', object: 'Node/n2' }),
		changed('sender’s node down', () => {}, { observed: { nodes: node('n1') }, reason: 'node-down', object: 'Node/n1' }),
		changed('too small an MTU', () => {}, {
			more: { ...more, size: 1400 },
			observed: { mtus: new Map([[targetSubnet, 1300]]) },
			reason: 'mtu',
			object: `Subnet/${targetSubnet}`,
			path: 'spec.mtu',
		}),
		changed('port security', () => {}, {
			more: { ...more, from: { object: 'Pod/shop/a', port: 'a.shop', address: ip(family === 4 ? '10.16.0.77' : 'fd00:10:16::77') } },
			reason: 'port-security',
			object: 'Pod/shop/a',
		}),
		changed('Service without endpoints', (world) => withService(world, undefined), {
			...vip,
			reason: 'no-endpoints',
			object: 'Service/shop/web',
		}),
		changed('Service with unready endpoints', (world) => withService(world, false), {
			...vip,
			reason: 'no-endpoints',
			object: 'Service/shop/web',
		}),
		changed(
			'a policy behind a Service',
			(world) => {
				withService(world, true);
				withPolicy(world, 'NetworkPolicy', 'shop/np', 'b', { isolates: ['ingress'] });
			},
			{ ...vip, reason: 'policy', object: 'NetworkPolicy/shop/np' },
		),
	];
}

export function observedOf(fault: Fault): Observed {
	return { ...nothingObserved, ...fault.observed };
}
