import { type LeaseFacts, type SubnetFacts, World } from '@tapestry/network';
import { lease, subnet, vpc } from '../packages/network/src/compile/testing/worlds.ts';

/** The default VPC with an IPv4 subnet that answers no DHCP: nothing beside what a benchmark puts there. */
export function bareWorld(more: Partial<SubnetFacts> = {}): World {
	const world = new World();
	world.set('Vpc', 'ovn-cluster', vpc('ovn-cluster'));
	const blocks = [{ family: 4, cidr: '10.16.0.0/16', prefix: 16, gateway: '10.16.0.1' }] as const;
	const silent = { dhcpFor: 'nobody', tellsClusterDns: false, advertises: false } as const;
	world.set('Subnet', 'ovn-default', subnet('ovn-default', { blocks, ...silent, ...more }));
	return world;
}

/** The lease of address number `number` of the default subnet. */
export function numberedLease(number: number, name: string, more: Partial<LeaseFacts>): LeaseFacts {
	const [high, low] = [number >> 8, number & 255];
	const hex = (byte: number) => byte.toString(16).padStart(2, '0');
	return lease(name, { v4: `10.16.${high}.${low}`, v6: undefined, mac: `02:58:0a:10:${hex(high)}:${hex(low)}`, ...more });
}
