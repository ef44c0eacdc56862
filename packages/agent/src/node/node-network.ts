import { type Cidr, type Family, formatCidr, type Ip, parseCidr, parseIp } from '@tapestry/base';
import { defaultNames, type IpLease, type Subnet } from '@tapestry/network';
import { listed, portOfLease } from '../leases/lease.ts';
import type { Port } from '../port.ts';

/** How the node itself takes part in the default VPC. */
export interface NodeNetwork {
	/** The node's port in the join network. */
	readonly port: Port;
	/** What the node reaches through the VPC's router. */
	readonly routes: readonly { readonly destination: Cidr; readonly gateway: Ip }[];
	/** Source address translation of what leaves the VPC through this node. */
	readonly masquerade: readonly MasqueradeRule[];
}

/** Packets from `sources` to anything outside `inside` get the node's address. */
export interface MasqueradeRule {
	readonly family: Family;
	readonly sources: readonly string[];
	readonly inside: readonly string[];
}

/** The node's network by its lease and the subnets; undefined while the join network is not there. */
export function nodeNetwork(
	lease: IpLease,
	subnets: Iterable<Subnet>,
	options: { readonly mtu: number; readonly serviceCidrs: readonly string[] },
): NodeNetwork | undefined {
	const all = [...subnets].filter((subnet) => (subnet.spec.vpc || defaultNames.vpc) === defaultNames.vpc && isOverlay(subnet));
	const join = all.find((subnet) => subnet.metadata.name === defaultNames.joinSubnet);
	if (!join) return undefined;
	const port = portOfLease(lease, join, options.mtu);
	const pods = all.filter((subnet) => subnet !== join);
	const destinations = [...pods.flatMap(blocks), ...options.serviceCidrs.flatMap(parsed)];
	const gateways = port.addresses.flatMap(({ gateway }) => parseIp(gateway ?? '') ?? []);
	const translated = pods.filter((subnet) => subnet.spec.natOutgoing).flatMap(blocks);
	const inside = [...destinations, ...blocks(join)];
	return {
		port,
		routes: destinations.flatMap((destination) => {
			const gateway = gateways.find(({ family }) => family === destination.family);
			return gateway ? [{ destination, gateway }] : [];
		}),
		masquerade: ([4, 6] as const).flatMap((family) => {
			const sources = ofFamily(translated, family);
			return sources.length === 0 ? [] : [{ family, sources, inside: ofFamily(inside, family) }];
		}),
	};
}

/** A subnet of a physical network is reached there, not through the VPC's router. */
const isOverlay = (subnet: Subnet): boolean => !subnet.spec.vlan;

function parsed(text: string): Cidr[] {
	const cidr = parseCidr(text.trim());
	return cidr ? [cidr] : [];
}

const blocks = (subnet: Subnet): Cidr[] => listed(subnet.spec.cidrBlock).flatMap(parsed);

/** Sorted, so that equal rules are equal texts. */
const ofFamily = (cidrs: readonly Cidr[], family: Family): readonly string[] =>
	cidrs
		.filter((cidr) => cidr.family === family)
		.map(formatCidr)
		.sort();
