import { type Cidr, type Family, formatCidr, type Ip, parseIp } from '@tapestry/base';
import { defaultNames, type IpLease, type NatRule, readNatRules, type Subnet, subnetBlocks, vpcOf } from '@tapestry/network';
import { portOfLease } from '../leases/lease.ts';
import type { Port } from '../port.ts';

/** How the node itself takes part in the default VPC. */
export interface NodeNetwork {
	/** The node's port in the join network. */
	readonly port: Port;
	/** What the node reaches through the VPC's router. */
	readonly routes: readonly { readonly destination: Cidr; readonly gateway: Ip }[];
	/** Where the cluster IPs are. */
	readonly services: readonly { readonly family: Family; readonly cidr: string }[];
	/** Source address translation of what leaves the VPC through this node. */
	readonly masquerade: readonly MasqueradeRule[];
}

/** Packets from `sources` to anything outside `inside` get the node's address. Blocks as text, sorted. */
export interface MasqueradeRule {
	readonly family: Family;
	readonly sources: readonly string[];
	readonly inside: readonly string[];
	/** For a rule of a subnet: of these packets only those from and to these ranges, and `forward` leaves them as they are. */
	readonly only?: Pick<NatRule, 'sources' | 'destinations' | 'action'>;
}

/** The node's network by its lease and the subnets; undefined while the join network is not there. */
export function nodeNetwork(
	lease: IpLease,
	subnets: Iterable<Subnet>,
	options: { readonly mtu: number; readonly serviceCidrs: readonly Cidr[] },
): NodeNetwork | undefined {
	// A subnet of a physical network (vlan) is reached there, not through the VPC's router.
	const all = [...subnets].filter((subnet) => vpcOf(subnet) === defaultNames.vpc && !subnet.spec.vlan);
	const join = all.find((subnet) => subnet.metadata.name === defaultNames.joinSubnet);
	if (!join) return undefined;
	const port = portOfLease(lease, join, options.mtu);
	const pods = all.filter((subnet) => subnet !== join);
	const destinations = [...pods.flatMap(blocks), ...options.serviceCidrs];
	const gateways = port.addresses.flatMap(({ gateway }) => (gateway ? (parseIp(gateway) ?? []) : []));
	const translated = pods.filter((subnet) => subnet.spec.natOutgoing).flatMap(blocks);
	const inside = [...destinations, ...blocks(join)];
	return {
		port,
		routes: destinations.flatMap((destination) => {
			const gateway = gateways.find(({ family }) => family === destination.family);
			return gateway ? [{ destination, gateway }] : [];
		}),
		services: options.serviceCidrs.map((cidr) => ({ family: cidr.family, cidr: formatCidr(cidr) })),
		masquerade: ([4, 6] as const).flatMap((family) => {
			const sources = ofFamily(translated, family);
			const around = ofFamily(inside, family);
			return sources.length === 0 ? [] : [...exceptions(pods, family, around), { family, sources, inside: around }];
		}),
	};
}

/** Subnets' own rules come before the general one. */
function exceptions(subnets: readonly Subnet[], family: Family, inside: readonly string[]): readonly MasqueradeRule[] {
	return subnets.flatMap((subnet) => {
		const sources = subnet.spec.natOutgoing ? ofFamily(blocks(subnet), family) : [];
		const rules = sources.length > 0 ? readNatRules(subnet).filter((rule) => rule.family === family) : [];
		return rules.map(({ sources: from, destinations, action }) => ({
			family,
			sources,
			inside,
			only: { sources: from, destinations, action },
		}));
	});
}

const blocks = (subnet: Subnet): readonly Cidr[] => subnetBlocks(subnet) ?? [];

/** Without repetition and sorted, so that equal rules are equal texts. */
function ofFamily(cidrs: readonly Cidr[], family: Family): readonly string[] {
	return [...new Set(cidrs.filter((cidr) => cidr.family === family).map(formatCidr))].sort();
}
