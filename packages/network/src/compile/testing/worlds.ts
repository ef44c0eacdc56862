import type { EndpointSliceFacts, LeaseFacts, ServiceFacts, SubnetFacts, VpcFacts } from '../../world/objects.ts';
import { World } from '../../world/world.ts';

export const vpc = (name: string, more: Partial<VpcFacts> = {}): VpcFacts => ({
	name,
	isDefault: name === 'ovn-cluster',
	staticRoutes: [],
	policyRoutes: [],
	peerings: [],
	...more,
});

export const subnet = (name: string, more: Partial<SubnetFacts> = {}): SubnetFacts => ({
	name,
	vpc: 'ovn-cluster',
	blocks: [
		{ family: 4, cidr: '10.16.0.0/16', prefix: 16, gateway: '10.16.0.1' },
		{ family: 6, cidr: 'fd00:10:16::/112', prefix: 112, gateway: 'fd00:10:16::1' },
	],
	isJoin: false,
	gateway: { kind: 'distributed' },
	routeTable: '',
	mtu: 1442,
	servesServices: true,
	dhcpFor: 'vms',
	tellsClusterDns: true,
	advertises: true,
	dhcpV4Options: {},
	dhcpV6Options: {},
	raOptions: {},
	acls: [],
	allowsEastWest: false,
	privateTo: undefined,
	...more,
});

export const lease = (name: string, more: Partial<LeaseFacts> = {}): LeaseFacts => ({
	name,
	subnet: 'ovn-default',
	node: 'n1',
	v4: '10.16.0.2',
	v6: 'fd00:10:16::2',
	mac: '02:58:0a:10:00:02',
	ownerUid: `uid-${name}`,
	ownerKind: 'Pod',
	namespace: 'default',
	labels: {},
	isOpen: false,
	vips: [],
	ports: [],
	securityGroups: [],
	limits: { ingress: undefined, egress: undefined },
	...more,
});

/** A service in namespace `default`. */
export const service = (name: string, more: Partial<ServiceFacts> = {}): ServiceFacts => ({
	namespace: 'default',
	name,
	vpc: undefined,
	clusterIps: [],
	externalIps: [],
	ports: [],
	isSticky: false,
	servesUnready: false,
	internal: 'Cluster',
	external: 'Cluster',
	...more,
});

export const port = (number: number, more: Partial<ServiceFacts['ports'][number]> = {}): ServiceFacts['ports'][number] => ({
	name: '',
	protocol: 'tcp',
	port: number,
	nodePort: undefined,
	...more,
});

/** Ready endpoints on node n1 at the port without a name; with `!` before the address one that is not ready. */
export const slice = (
	of: string,
	family: 4 | 6,
	addresses: readonly string[],
	more: Partial<EndpointSliceFacts> = {},
): EndpointSliceFacts => ({
	service: `default/${of}`,
	family,
	endpoints: addresses.map((text) => {
		const isReady = !text.startsWith('!');
		return { address: text.replace('!', ''), isReady, isServing: isReady, node: 'n1' };
	}),
	ports: { '': 8080 },
	...more,
});

/** The default VPC with its two subnets, `nodes` nodes and no pods. */
export function defaultWorld(nodes = 0): World {
	const world = new World();
	world.set('Vpc', 'ovn-cluster', vpc('ovn-cluster'));
	world.set('Subnet', 'ovn-default', subnet('ovn-default'));
	const joinBlocks = [
		{ family: 4, cidr: '100.64.0.0/16', prefix: 16, gateway: '100.64.0.1' },
		{ family: 6, cidr: 'fd00:100:64::/112', prefix: 112, gateway: 'fd00:100:64::1' },
	] as const;
	world.set('Subnet', 'join', subnet('join', { blocks: joinBlocks, isJoin: true, gateway: undefined, servesServices: false }));
	for (let number = 1; number <= nodes; number++) {
		const name = `n${number}`;
		world.set('Node', name, { name, addresses: [`172.30.0.${number}`, `fd00:172:30::${number}`], labels: {}, isReady: true });
		const addresses = { v4: `100.64.0.${number + 1}`, v6: `fd00:100:64::${number + 1}`, mac: `02:58:64:40:00:0${number + 1}` };
		world.set('IP', `node-${name}`, lease(`node-${name}`, { ...addresses, subnet: 'join', node: name, ownerKind: 'Node', isOpen: true }));
	}
	return world;
}
