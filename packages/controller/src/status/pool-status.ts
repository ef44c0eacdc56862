import {
	type Clock,
	countAddresses,
	type Family,
	formatRangeList,
	type IpRange,
	intersectRanges,
	mergeRanges,
	type Signal,
} from '@tapestry/base';
import { type Condition, setCondition } from '@tapestry/kube';
import { type IpPoolStatus, ipPoolResource, notBuiltProblem } from '@tapestry/network';
import type { LeaseRegistry } from '../leases/registry.ts';
import type { NetworkView } from '../networks.ts';
import type { Sources } from '../world/sources.ts';
import { builtCondition } from './built-condition.ts';
import { type StatusWriterDeps, validatedCondition, writeStatus } from './write-status.ts';

export interface PoolStatusDeps extends StatusWriterDeps {
	readonly sources: Sources;
	readonly networks: NetworkView;
	readonly registry: LeaseRegistry;
	readonly clock: Clock;
}

/** Writes what of a pool is free and in use, and what is wrong with it. */
export async function writePool(deps: PoolStatusDeps, name: string, signal: Signal): Promise<void> {
	const { sources, networks, clock } = deps;
	const pool = sources.ipPools.objects.get(name);
	if (!pool) return;
	const { generation } = pool.metadata;
	const problems = networks.poolProblems(name) ?? [];
	const observed = generation === undefined ? {} : { observedGeneration: generation };
	const isInUse = networks.pool(name) !== undefined;
	const ready = isInUse
		? { status: 'True' as const, reason: 'InUse', message: 'addresses are given from the pool' }
		: { status: 'False' as const, reason: problems[0]?.reason ?? 'NotInUse', message: 'no addresses are given from the pool' };
	const wanted: readonly Omit<Condition, 'lastTransitionTime'>[] = [
		{ ...validatedCondition(problems), ...observed },
		{ type: 'Ready', ...ready, ...observed },
		builtCondition(notBuiltProblem('IPPool', pool.spec), generation),
	];
	const conditions = wanted.reduce<readonly Condition[]>(
		(list, condition) => setCondition(list, condition, clock.now()),
		pool.status?.conditions ?? [],
	);
	const [v4, v6] = [usage(deps, name, 4), usage(deps, name, 6)];
	const status: IpPoolStatus = {
		v4AvailableIPs: v4.available.count,
		v4AvailableIPRange: v4.available.ranges,
		v4UsingIPs: v4.using.count,
		v4UsingIPRange: v4.using.ranges,
		v6AvailableIPs: v6.available.count,
		v6AvailableIPRange: v6.available.ranges,
		v6UsingIPs: v6.using.count,
		v6UsingIPRange: v6.using.ranges,
		conditions: [...conditions],
	};
	await writeStatus(deps, ipPoolResource, pool, status, problems, { subresource: 'status', signal });
}

function usage({ networks, registry }: PoolStatusDeps, name: string, family: Family) {
	const pool = networks.pool(name);
	const allocator = pool && registry.allocator(pool.subnet, family);
	const own = (pool?.ranges ?? []).filter((range) => range.family === family);
	const part = (ranges: Iterable<IpRange> = []) => {
		const shared = intersectRanges(own, mergeRanges(ranges));
		return { count: Number(countAddresses(shared)), ranges: formatRangeList(shared) };
	};
	return { available: part(allocator?.availableRanges()), using: part(allocator?.usingRanges()) };
}
