import { type Clock, type Signal, sentence } from '@tapestry/base';
import { type Condition, setCondition } from '@tapestry/kube';
import { notBuiltProblem, type Problem, shownMac, type VipStatus, vipProblems, vipResource } from '@tapestry/network';
import type { LeaseRegistry } from '../leases/registry.ts';
import type { Sources } from '../world/sources.ts';
import { builtCondition } from './built-condition.ts';
import { type StatusWriterDeps, validatedCondition, writeStatus } from './write-status.ts';

export interface VipStatusDeps extends StatusWriterDeps {
	readonly sources: Sources;
	readonly registry: LeaseRegistry;
	readonly clock: Clock;
	/** Why the Vip has no address. */
	problemOf(key: string): Problem | undefined;
}

/** Writes which addresses a Vip has, or why it has none. */
export async function writeVip(deps: VipStatusDeps, name: string, signal: Signal): Promise<void> {
	const { sources, registry, clock } = deps;
	const vip = sources.vips.objects.get(name);
	if (!vip) return;
	const key = `Vip//${name}`;
	const lease = registry.ofOwner(key).find((one) => one.owner?.uid === vip.metadata.uid && registry.held(one.name) === one);
	const problems = vipProblems(vip);
	const refusal = deps.problemOf(key);
	const ready = lease
		? { status: 'True' as const, reason: 'Leased', message: 'the addresses are kept' }
		: {
				status: 'False' as const,
				reason: refusal?.reason ?? 'NotLeased',
				message: refusal ? sentence(refusal) : 'there are no addresses yet',
			};
	const { generation } = vip.metadata;
	const all = [validatedCondition(problems), { type: 'Ready', ...ready }, builtCondition(notBuiltProblem('Vip', vip.spec), generation)];
	const conditions = all.reduce<readonly Condition[]>((list, one) => setCondition(list, one, clock.now()), vip.status?.conditions ?? []);
	const status: VipStatus = {
		type: vip.spec.type ?? '',
		v4ip: lease?.v4 ?? '',
		v6ip: lease?.v6 ?? '',
		mac: lease ? shownMac(lease.mac) : '',
		selector: vip.spec.selector ?? [],
		conditions: [...conditions],
	};
	await writeStatus(deps, vipResource, vip, status, problems, { signal });
}
