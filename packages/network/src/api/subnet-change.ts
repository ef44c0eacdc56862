import { cidrContains, parseIp, parseIpRange } from '@tapestry/base';
import type { IpLease } from './ip.ts';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { joinCidrs, subnetBlocks, vpcOf } from './subnet-addressing.ts';

/** A lease, as far as it matters to its subnet's blocks. */
export interface LeasedAddresses {
	readonly name: string;
	readonly addresses: readonly string[];
}

export function leasedAddresses({ metadata, spec }: IpLease): LeasedAddresses {
	return { name: metadata.name, addresses: [spec.v4IpAddress, spec.v6IpAddress].flatMap((text) => text || []) };
}

/** What keeps a Subnet from being changed in this way. `leases` are those of the subnet. */
export function subnetChangeProblems(before: Subnet, after: Subnet, leases: Iterable<LeasedAddresses>): readonly Problem[] {
	const fixed = (field: string, from: string | undefined, to: string | undefined): Problem[] => {
		if (from === to) return [];
		const what = `${field} cannot change`;
		const fix = 'make another Subnet';
		return [
			{ reason: 'FieldImmutable', field, what, why: `it is ${JSON.stringify(from ?? '')}, and ports in use would have to move`, fix },
		];
	};
	return [
		...fixed('spec.vpc', vpcOf(before), vpcOf(after)),
		...fixed('spec.vlan', before.spec.vlan || undefined, after.spec.vlan || undefined),
		...heldBlockProblems(after, leases),
	];
}

/** Leases outside of the blocks that the subnet asks for. */
export function heldBlockProblems(subnet: Subnet, leases: Iterable<LeasedAddresses>): readonly Problem[] {
	const blocks = subnetBlocks(subnet);
	if (!blocks) return [];
	const outside = [...leases].flatMap(({ name, addresses }) => {
		const stray = addresses.find((text) => {
			const ip = parseIp(text);
			return ip && !blocks.some((cidr) => cidrContains(cidr, ip));
		});
		return stray === undefined ? [] : `${name} (${stray})`;
	});
	if (outside.length === 0) return [];
	const more = outside.length > 5 ? ` and ${outside.length - 5} more` : '';
	return [
		{
			reason: 'CidrHeld',
			field: 'spec.cidrBlock',
			what: `subnet ${subnet.metadata.name} cannot become ${joinCidrs(blocks)}`,
			why: `addresses outside of it are in use by ${outside.slice(0, 5).join(', ')}${more}`,
			fix: 'delete those that have them, or give the block back',
		},
	];
}

/**
 * The subnet with the blocks that it had, as its status says, and what of the new spec fits them. For a subnet whose leases do not fit the new
 * blocks: what is in use goes on as it was.
 */
export function withFormerBlocks(subnet: Subnet): Subnet | undefined {
	const { cidrBlock, gateway } = subnet.status ?? {};
	if (!cidrBlock || cidrBlock === subnet.spec.cidrBlock) return undefined;
	const former: Subnet = { ...subnet, spec: { ...subnet.spec, cidrBlock, gateway: gateway ?? '' } };
	const blocks = subnetBlocks(former);
	if (!blocks) return undefined;
	const excludeIps = subnet.spec.excludeIps?.filter((text) => {
		const range = parseIpRange(text);
		return range && blocks.some((cidr) => [range.first, range.last].every((value) => cidrContains(cidr, { family: range.family, value })));
	});
	return { ...former, spec: { ...former.spec, ...(excludeIps ? { excludeIps } : {}) } };
}
