import { defaultWorld, lease, port, service, slice, subnet, vpc } from '../../compile/testing/worlds.ts';
import type { PolicyFacts, RuleFacts, SecurityRuleFacts, TrafficFacts } from '../../world/policies.ts';
import { PolicySet } from '../../world/policy-set.ts';
import { selectorKey } from '../../world/selector.ts';
import type { World } from '../../world/world.ts';
import type { Protocol } from '../packet.ts';
import type { ReachQuestion, Target } from '../question.ts';
import { ip } from './planted.ts';

/** Where chance comes from. */
export type Pick = <T>(...values: readonly T[]) => T;

interface Pod {
	readonly name: string;
	readonly v4: string;
}

const apps = ['web', 'db', 'job'] as const;
const namespaces = ['shop', 'bank'] as const;
const ports = [80, 443, 5432] as const;
const selectors = namespaces.flatMap((namespace) =>
	[{}, ...apps.map((app) => ({ matchLabels: { app } }))].map((pods) => ({ namespaces: namespace, pods })),
);
const blocks = ['10.21.0.0/16', '10.22.0.0/16', '10.31.0.0/16', '10.32.0.0/24'] as const;

/** A network of several VPCs, subnets, Services and policies of every kind, as chance has it. */
export function randomNetwork(pick: Pick): { readonly world: World; readonly pods: readonly Pod[] } {
	const world = defaultWorld(2);
	const route = (cidr: string, nextHop: string) =>
		({ cidr, nextHop, policy: pick('dst-ip', 'dst-ip', 'src-ip'), table: '', isSymmetric: false }) as const;
	const policyRoute = () =>
		({
			priority: pick(29_800, 30_500, 31_500),
			match: pick('ip4.dst == 10.22.0.0/16', 'ip4.src == 10.21.0.0/16 && tcp.dst == 80', 'ip6 && tcp', 'ip4.dst == 10.32.0.0/24'),
			action: pick('drop', 'allow'),
			nextHops: [],
		}) as const;
	const some = <T>(make: () => T): readonly T[] => (pick(true, false, false) ? [make()] : []);
	world.set(
		'Vpc',
		'ovn-cluster',
		vpc('ovn-cluster', {
			policyRoutes: some(policyRoute),
			peerings: [{ remote: 'blue', networks: ['169.254.0.1/24', 'fd00:169::1/120'] }],
			staticRoutes: [route(pick(...blocks), '169.254.0.2')],
		}),
	);
	world.set(
		'Vpc',
		'blue',
		vpc('blue', {
			policyRoutes: some(policyRoute),
			peerings: [{ remote: 'ovn-cluster', networks: ['169.254.0.2/24', 'fd00:169::2/120'] }],
			staticRoutes: [route(pick('10.21.0.0/16', '10.16.0.0/12', '0.0.0.0/0'), '169.254.0.1')],
		}),
	);
	const nets = [
		['one', 'ovn-cluster', 21],
		['two', 'ovn-cluster', 22],
		['blue-one', 'blue', 31],
		// The same addresses as in the other VPC.
		['blue-two', 'blue', pick(21, 32)],
	] as const;
	for (const [name, owner, octet] of nets) world.set('Subnet', name, randomSubnet(pick, name, owner, octet));
	const pods = nets.flatMap(([name, , octet], at) => [2, 3, 4].map((host) => randomPod(world, pick, `p${at}-${host}`, name, octet, host)));
	randomServices(world, pick, pods);
	randomPolicies(world, pick);
	return { world, pods };
}

function randomSubnet(pick: Pick, name: string, owner: string, octet: number) {
	const acls = [1, 2].flatMap((number) =>
		pick(true, false, false)
			? [
					{
						path: `spec.acls[${number}]`,
						direction: pick('ingress', 'egress'),
						match: pick('ip4 && tcp.dst == 80', `ip4.dst == ${pick(...blocks)}`, 'ip6 && udp', 'icmp4'),
						action: pick('allow', 'drop', 'reject'),
					} as const,
				]
			: [],
	);
	return subnet(name, {
		vpc: owner,
		blocks: [
			{ family: 4, cidr: `10.${octet}.0.0/16`, prefix: 16, gateway: `10.${octet}.0.1` },
			{ family: 6, cidr: `fd00:10:${octet}::/112`, prefix: 112, gateway: `fd00:10:${octet}::1` },
		],
		servesServices: owner === 'ovn-cluster',
		acls,
		allowsEastWest: pick(true, false),
		privateTo: pick(undefined, undefined, undefined, ['10.21.0.0/16'], []),
	});
}

/** It holds traffic back, and changes no verdict. */
const limit = { rate: 1000, burst: 600 };

function randomPod(world: World, pick: Pick, name: string, net: string, octet: number, host: number): Pod {
	const namespace = pick(...namespaces);
	const v4 = `10.${octet}.0.${host}`;
	const hex = (value: number) => value.toString(16).padStart(2, '0');
	world.set(
		'IP',
		name,
		lease(name, {
			subnet: net,
			node: pick('n1', 'n2'),
			v4,
			v6: `fd00:10:${octet}::${host}`,
			mac: `02:58:00:${hex(octet)}:${hex(name.charCodeAt(1))}:${hex(host)}`,
			namespace,
			labels: { app: pick(...apps) },
			isOpen: pick(true, false),
			securityGroups: pick([], [], [], ['red'], ['green', 'red']),
			limits: { ingress: pick(undefined, limit), egress: pick(undefined, limit) },
		}),
	);
	return { name, v4 };
}

function randomServices(world: World, pick: Pick, pods: readonly Pod[]): void {
	for (const number of [1, 2, 3]) {
		const name = `shop/s${number}`;
		const endpoints = pods.filter(() => pick(true, false, false, false)).map(({ v4 }) => v4);
		const address = `10.96.0.${number}`;
		world.set('Service', name, service(`s${number}`, { namespace: 'shop', clusterIps: [address], ports: [port(80)] }));
		world.set('EndpointSlice', name, slice('', 4, endpoints, { service: name, ports: { '': pick(...ports) } }));
	}
}

function randomPolicies(world: World, pick: Pick): void {
	const policies = new PolicySet(world);
	const put = (kind: 'NetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy', key: string, more: Partial<PolicyFacts>) => {
		const rules = [0, 1].map(
			(number): RuleFacts => randomRule(pick, kind === 'NetworkPolicy' ? 'allow' : pick('allow', 'deny', 'deny'), number),
		);
		const facts: PolicyFacts = {
			owner: `${kind}/${key}`,
			subject: selectorKey(pick(...selectors)),
			isolates: [],
			rules,
			priority: 0,
			...more,
		};
		policies.set(kind, key, { facts, selectors, portNames: [] });
	};
	for (const number of [1, 2, 3]) {
		put('NetworkPolicy', `${pick(...namespaces)}/np${number}`, { isolates: pick(['ingress'], ['egress'], ['ingress', 'egress']) });
	}
	if (pick(true, false)) put('AdminNetworkPolicy', 'anp', { priority: pick(1, 50) });
	if (pick(true, false)) put('BaselineAdminNetworkPolicy', 'default', {});
	for (const name of ['red', 'green']) {
		const rules = [0, 1].map(
			(number): SecurityRuleFacts => ({
				...randomRule(pick, pick('allow', 'allow', 'deny'), number),
				peer: { kind: 'addresses', addresses: [pick(...blocks), 'fd00::/8'] },
				priority: pick(1, 2),
				family: pick(4, 6, undefined),
				local: undefined,
			}),
		);
		world.set('SecurityGroup', name, { name, rules, allowsSameGroup: pick(true, false) });
	}
}

function randomRule(pick: Pick, action: RuleFacts['action'], number: number): RuleFacts {
	const direction = pick('ingress', 'egress');
	const first = pick(...ports);
	const traffic: readonly TrafficFacts[] = [
		{ protocol: pick('tcp', 'tcp', 'udp', 'sctp'), destination: { first, last: pick(first, 6000) }, source: undefined },
	];
	return {
		path: `spec.${direction}[${number}]`,
		direction,
		action,
		peer: pick<RuleFacts['peer']>(
			undefined,
			{ kind: 'selector', selector: selectorKey(pick(...selectors)) },
			{ kind: 'addresses', addresses: [pick(...blocks), 'fd00:10::/32'] },
		),
		traffic: pick<RuleFacts['traffic']>(undefined, traffic, [{ protocol: 'icmp' }]),
	};
}

/** A question between two of the pods, or to a Service, an address or a node. */
export function randomQuestion(pick: Pick, pods: readonly Pod[]): ReachQuestion {
	const { name } = pick(...pods);
	const to = pick(...pods.filter((pod) => pod.name !== name));
	const workload: Target = { kind: 'workload', object: `Pod/shop/${to.name}`, port: to.name };
	const address = ip(pick('10.96.0.1', '10.96.0.2', '10.96.0.3', '10.21.0.1', '10.22.0.99', '172.30.0.2', '192.0.2.1'));
	const target = pick<Target>(workload, workload, workload, { kind: 'address', object: undefined, address });
	return {
		from: { object: `Pod/shop/${name}`, port: name },
		to: target,
		family: target.kind === 'workload' ? pick(4, 6) : 4,
		protocol: pick<Protocol>('tcp', 'tcp', 'udp', 'icmp', 'sctp'),
		targetPort: pick(...ports),
		backend: 0,
	};
}
