import {
	type AddressSpace,
	type Cidr,
	formatCidr,
	formatIp,
	type Ip,
	type IpRange,
	mergeRanges,
	parseCidr,
	parseIp,
	parseIpRange,
} from '@tapestry/base';
import { defaultNames } from './names.ts';
import type { Subnet, SubnetSpec } from './subnet.ts';

/** The parts of a list with `,` between them; none for an empty text. */
export function splitList(text: string | undefined): string[] {
	return text ? text.split(',').map((part) => part.trim()) : [];
}

/** Whether OVN carries the subnet; otherwise it only hands out addresses for another CNI plugin. */
export function isOvnSubnet(subnet: Subnet): boolean {
	const provider = subnet.spec.provider || defaultNames.provider;
	return provider === defaultNames.provider || provider.endsWith(`.${defaultNames.provider}`);
}

/** The subnet's VPC; undefined for a subnet that OVN does not carry. */
export function vpcOf(subnet: Subnet): string | undefined {
	return subnet.spec.vpc || (isOvnSubnet(subnet) ? defaultNames.vpc : undefined);
}

// Checking each of a thousand subnets against the others reads a million blocks; objects never change, so each is read once.
const blocksOf = new WeakMap<SubnetSpec, readonly Cidr[] | undefined>();

/** The blocks of `spec.cidrBlock`, IPv4 first; undefined when one is malformed or a family comes twice. */
export function subnetBlocks({ spec }: Subnet): readonly Cidr[] | undefined {
	if (!blocksOf.has(spec)) blocksOf.set(spec, readBlocks(spec));
	return blocksOf.get(spec);
}

function readBlocks(spec: SubnetSpec): readonly Cidr[] | undefined {
	const blocks: Cidr[] = [];
	for (const text of splitList(spec.cidrBlock)) {
		const cidr = parseCidr(text);
		if (!cidr || blocks.some(({ family }) => family === cidr.family)) return undefined;
		blocks.push(cidr);
	}
	return blocks.sort((a, b) => a.family - b.family);
}

/** The addresses of `spec.gateway`; undefined when one is malformed. */
export function subnetGateways(subnet: Subnet): readonly Ip[] | undefined {
	const gateways = splitList(subnet.spec.gateway).map(parseIp);
	return gateways.every((gateway) => gateway !== undefined) ? gateways : undefined;
}

/** `spec.excludeIps` as a merged list; undefined when an item is malformed. */
export function subnetExcludes(subnet: Subnet): readonly IpRange[] | undefined {
	const ranges = (subnet.spec.excludeIps ?? []).map(parseIpRange);
	return ranges.every((range) => range !== undefined) ? mergeRanges(ranges) : undefined;
}

/** One allocator's worth for each block of a valid, defaulted subnet, IPv4 first; nothing when the subnet is not valid. */
export function addressSpaces(subnet: Subnet): readonly AddressSpace[] {
	const gateways = subnetGateways(subnet);
	const exclude = subnetExcludes(subnet);
	if (!gateways || !exclude) return [];
	return (subnetBlocks(subnet) ?? []).map((cidr) => ({ cidr, gateway: gateways.find(({ family }) => family === cidr.family), exclude }));
}

export const joinCidrs = (cidrs: readonly Cidr[]): string => cidrs.map(formatCidr).join(',');
export const joinIps = (ips: readonly Ip[]): string => ips.map(formatIp).join(',');
