import { type IpRange, mergeRanges, subtractRanges } from '@tapestry/base';
import { type IpPool, type IpPoolFacts, isOlder, type Problem, poolEntries, type Subnet, validateIpPool } from '@tapestry/network';

/** A pool that is in use. */
export interface AdmittedPool {
	readonly name: string;
	readonly subnet: string;
	/** What the pool holds, as the user ordered it. */
	readonly entries: readonly IpRange[];
	/** The same, merged. */
	readonly ranges: readonly IpRange[];
	/** Namespaces whose pods get their addresses from it; empty when only those do that name it. */
	readonly namespaces: readonly string[];
	readonly facts: IpPoolFacts;
}

export interface PoolAdmission {
	readonly pools: ReadonlyMap<string, AdmittedPool>;
	/** What is wrong with a pool, in use or not, by its name. */
	readonly poolProblems: ReadonlyMap<string, readonly Problem[]>;
}

/** Decides what each pool holds: of addresses that two pools of a subnet name, the older has them. */
export function admitPools(all: readonly IpPool[], subnets: ReadonlyMap<string, Subnet>): PoolAdmission {
	const pools = new Map<string, AdmittedPool>();
	const poolProblems = new Map<string, readonly Problem[]>();
	const given = new Map<string, readonly IpRange[]>();
	for (const pool of all.toSorted((a, b) => (isOlder(a, b) ? -1 : 1))) {
		const { name } = pool.metadata;
		const { subnet, namespaces = [], enableAddressSet = false } = pool.spec;
		const home = subnets.get(subnet);
		const problems = validateIpPool(pool, home, all);
		if (problems.length > 0) poolProblems.set(name, problems);
		if (!home) continue;
		const before = given.get(subnet) ?? [];
		const entries = poolEntries(pool, home).flatMap((entry) => subtractRanges([entry], before));
		const ranges = mergeRanges(entries);
		given.set(subnet, mergeRanges([...before, ...ranges]));
		pools.set(name, { name, subnet, entries, ranges, namespaces, facts: { name, ranges, hasAddressSet: enableAddressSet } });
	}
	return { pools, poolProblems };
}
