import { type Cidr, cidrContains, cidrRange, type IpRange, mergeRanges, parseCidr, parseIpRange } from '@tapestry/base';
import type { IpPool } from './ip-pool.ts';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { joinCidrs, subnetBlocks } from './subnet-addressing.ts';

/** The addresses of a pool as a merged list; entries that cannot be read are left out, and `validateIpPool` tells about them. */
export function poolRanges(pool: IpPool): readonly IpRange[] {
	return mergeRanges(pool.spec.ips.map(readEntry).filter((range) => range !== undefined));
}

/** Everything that keeps the pool from being used. `subnet` is the one that `spec.subnet` names, if there is one. */
export function validateIpPool(pool: IpPool, subnet: Subnet | undefined): readonly Problem[] {
	if (!subnet) {
		const name = pool.spec.subnet;
		const fix = `create Subnet ${name}, or name another in spec.subnet`;
		return [
			{ reason: 'SubnetUnknown', field: 'spec.subnet', what: `the pool waits for its subnet`, why: `there is no Subnet ${name}`, fix },
		];
	}
	const blocks = subnetBlocks(subnet) ?? [];
	return pool.spec.ips.flatMap((text, index) => entryProblem(text, `spec.ips[${index}]`, blocks) ?? []);
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
	const ends = [range.first, range.last].map((value) => ({ family: range.family, value }));
	if (blocks.some((cidr) => ends.every((ip) => cidrContains(cidr, ip)))) return undefined;
	return {
		reason: 'PoolOutside',
		field,
		what: `${text} cannot be in the pool`,
		why: `not all of it is in ${joinCidrs(blocks) || 'the subnet'}`,
		fix: 'use addresses of the subnet',
	};
}

function readEntry(text: string): IpRange | undefined {
	const cidr = parseCidr(text);
	return cidr ? cidrRange(cidr) : parseIpRange(text);
}
