import {
	type Cidr,
	cidrContains,
	cidrRange,
	formatIpRange,
	type IpRange,
	intersectRanges,
	mergeRanges,
	parseCidr,
	parseIpRange,
} from '@tapestry/base';
import type { IpPool } from './ip-pool.ts';
import { isOlder } from './is-older.ts';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { joinCidrs, subnetBlocks } from './subnet-addressing.ts';

/** The addresses of a pool as a merged list; entries that cannot be read are left out, and `validateIpPool` tells about them. */
export function poolRanges(pool: IpPool): readonly IpRange[] {
	return mergeRanges(pool.spec.ips.map(readEntry).filter((range) => range !== undefined));
}

/** The entries that are in the subnet, in the user's order. */
export function poolEntries(pool: IpPool, subnet: Subnet): readonly IpRange[] {
	const blocks = subnetBlocks(subnet) ?? [];
	return pool.spec.ips.map(readEntry).filter((range) => range !== undefined && isInside(range, blocks)) as readonly IpRange[];
}

/** What of the pool cannot be as it says. `subnet` is the one that `spec.subnet` names, if there is one; the pool itself may be among `others`. */
export function validateIpPool(pool: IpPool, subnet: Subnet | undefined, others: Iterable<IpPool>): readonly Problem[] {
	if (!subnet) {
		const name = pool.spec.subnet;
		const fix = `create Subnet ${name}, or name another in spec.subnet`;
		return [
			{ reason: 'SubnetUnknown', field: 'spec.subnet', what: 'the pool waits for its subnet', why: `there is no Subnet ${name}`, fix },
		];
	}
	const blocks = subnetBlocks(subnet) ?? [];
	return [
		...pool.spec.ips.flatMap((text, index) => entryProblem(text, `spec.ips[${index}]`, blocks) ?? []),
		...overlapProblems(pool, others),
	];
}

function entryProblem(text: string, field: string, blocks: readonly Cidr[]): Problem | undefined {
	const range = readEntry(text);
	if (!range) {
		return {
			reason: 'PoolMalformed',
			field,
			what: `${JSON.stringify(text)} cannot be in a pool`,
			why: 'it is not an address, an ascending range or a block',
			fix: 'write it like 10.16.0.5, 10.16.0.5..10.16.0.9 or 10.16.8.0/24',
		};
	}
	if (isInside(range, blocks)) return undefined;
	return {
		reason: 'PoolOutside',
		field,
		what: `${text} cannot be in the pool`,
		why: `not all of it is in ${joinCidrs(blocks) || 'the subnet'}`,
		fix: 'use addresses of the subnet',
	};
}

/** Of two pools that name an address the older has it. */
function* overlapProblems(pool: IpPool, others: Iterable<IpPool>): Generator<Problem> {
	for (const other of others) {
		const isRival = other.metadata.name !== pool.metadata.name && isOlder(other, pool);
		if (!isRival || other.spec.subnet !== pool.spec.subnet) continue;
		const [shared] = intersectRanges(poolRanges(pool), poolRanges(other));
		if (!shared) continue;
		yield {
			reason: 'PoolOverlap',
			field: 'spec.ips',
			what: `${formatIpRange(shared)} cannot be in the pool`,
			why: `IPPool ${other.metadata.name}, which was there before, has it`,
			fix: 'use addresses that no other pool of the subnet has',
		};
	}
}

function isInside({ family, first, last }: IpRange, blocks: readonly Cidr[]): boolean {
	return blocks.some((cidr) => [first, last].every((value) => cidrContains(cidr, { family, value })));
}

function readEntry(text: string): IpRange | undefined {
	const cidr = parseCidr(text);
	return cidr ? cidrRange(cidr) : parseIpRange(text);
}
