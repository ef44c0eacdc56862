import { type LeaseFacts, type NetworkPolicy, PolicySet, readNetworkPolicy, World } from '@tapestry/network';

/** Ports of one namespace, and policies of which each selects all of them by a label of its own. */
const portsPerNamespace = 50;

export interface PolicyWorld {
	readonly world: World;
	setPolicy(policy: NetworkPolicy): void;
}

/** The default VPC with `ports` ports on the chassis in turn. */
export function policyWorld(ports: number, chassis: readonly string[]): PolicyWorld {
	const world = new World();
	world.set('Vpc', 'ovn-cluster', { name: 'ovn-cluster', isDefault: true, staticRoutes: [], policyRoutes: [], peerings: [] });
	world.set('Subnet', 'ovn-default', {
		name: 'ovn-default',
		vpc: 'ovn-cluster',
		gateway: { kind: 'distributed' },
		routeTable: '',
		blocks: [{ family: 4, cidr: '10.16.0.0/16', prefix: 16, gateway: '10.16.0.1' }],
		isJoin: false,
		mtu: 1442,
		servesServices: false,
		dhcpFor: 'nobody',
		tellsClusterDns: false,
		advertises: false,
		dhcpV4Options: {},
		dhcpV6Options: {},
		raOptions: {},
		acls: [],
		allowsEastWest: false,
		privateTo: undefined,
	});
	for (let index = 0; index < ports; index++) {
		const facts = leaseOf(index, chassis[index % chassis.length] ?? '');
		world.set('IP', facts.name, facts);
	}
	const set = new PolicySet(world);
	return {
		world,
		setPolicy: (policy) =>
			set.set('NetworkPolicy', `${policy.metadata.namespace}/${policy.metadata.name}`, readNetworkPolicy(policy).reading),
	};
}

export function leaseOf(index: number, node: string): LeaseFacts {
	const group = Math.floor(index / portsPerNamespace);
	const number = index + 2;
	const [high, low] = [number >> 8, number & 255];
	const hex = (byte: number) => byte.toString(16).padStart(2, '0');
	return {
		name: `p${index}.ns${group}`,
		subnet: 'ovn-default',
		node,
		v4: `10.16.${high}.${low}`,
		v6: undefined,
		mac: `02:58:0a:10:${hex(high)}:${hex(low)}`,
		ownerUid: `uid-${index}`,
		ownerKind: 'Pod',
		namespace: `ns${group}`,
		labels: {
			app: `a${index % 5}`,
			...Object.fromEntries(Array.from({ length: portsPerNamespace }, (_, policy) => [`p${policy}`, 'yes'])),
		},
		isOpen: false,
		ports: [],
		securityGroups: [],
		vips: [],
	};
}

/** Policy number `index`: 50 to a namespace. `port` tells versions apart. */
export function policyOf(index: number, port: number): NetworkPolicy {
	const namespace = `ns${Math.floor(index / portsPerNamespace)}`;
	return {
		metadata: { name: `np${index}`, namespace },
		spec: {
			podSelector: { matchLabels: { [`p${index % portsPerNamespace}`]: 'yes' } },
			ingress: [{ from: [{ podSelector: { matchLabels: { app: `a${index % 5}` } } }], ports: [{ port }] }],
		},
	};
}
