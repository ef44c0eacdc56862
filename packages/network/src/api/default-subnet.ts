import { type Cidr, cidrContains, compareIps, firstAddress, formatIpRange, type Ip, type IpRange, mergeRanges } from '@tapestry/base';
import { defaultNames } from './names.ts';
import type { Subnet, SubnetSpec } from './subnet.ts';
import { isOvnSubnet, joinCidrs, joinIps, subnetBlocks, subnetExcludes, subnetGateways, vpcOf } from './subnet-addressing.ts';

/**
 * The subnet with everything filled in that the user left out, in canonical form. What cannot be read stays as it is, for
 * `validateSubnet` to tell about. Applying it twice changes nothing more.
 */
export function defaultSubnet(subnet: Subnet): Subnet {
	const vpc = vpcOf(subnet);
	const provider = subnet.spec.provider || defaultNames.provider;
	const spec: SubnetSpec = {
		...subnet.spec,
		provider,
		...(vpc === undefined ? {} : { vpc }),
		...(isOvnSubnet(subnet) && vpc === defaultNames.vpc && !subnet.spec.gatewayType ? { gatewayType: 'distributed' } : {}),
	};
	const blocks = subnetBlocks(subnet);
	return { ...subnet, spec: blocks && blocks.length > 0 ? { ...spec, ...addressing(subnet, blocks) } : spec };
}

function addressing(subnet: Subnet, blocks: readonly Cidr[]): Partial<SubnetSpec> {
	const cidrBlock = joinCidrs(blocks);
	const protocol = subnet.spec.protocol ?? protocolOf(blocks);
	const written = subnetGateways(subnet);
	if (!written) return { cidrBlock, protocol };
	const missing = blocks.filter(({ family }) => !written.some((gateway) => gateway.family === family)).map(firstAddress);
	const gateways = [...written, ...missing].sort(compareIps);
	const exclude = subnetExcludes(subnet);
	// A gateway outside is one problem; excluding it would make it look like two.
	const inside = gateways.filter((gateway) => blocks.some((cidr) => cidrContains(cidr, gateway)));
	return {
		cidrBlock,
		protocol,
		gateway: joinIps(gateways),
		...(exclude ? { excludeIps: mergeRanges([...exclude, ...inside.map(single)]).map((range) => formatIpRange(range)) } : {}),
	};
}

/** The protocol that blocks of these families make. */
export function protocolOf(blocks: readonly Cidr[]): 'IPv4' | 'IPv6' | 'Dual' {
	if (blocks.length > 1) return 'Dual';
	return blocks[0]?.family === 6 ? 'IPv6' : 'IPv4';
}

function single({ family, value }: Ip): IpRange {
	return { family, first: value, last: value };
}
