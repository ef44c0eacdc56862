import { type Clock, type Signal, sentence } from '@tapestry/base';
import { type Condition, type EventRecorder, findCondition, type KubeClient, setCondition } from '@tapestry/kube';
import type { Problem } from '@tapestry/network';
import type { Sources } from '../world/sources.ts';
import { findLeaseOwner, patchConditions } from './owner-conditions.ts';

export interface ReporterDeps {
	readonly client: KubeClient;
	readonly sources: Sources;
	readonly events: EventRecorder;
	readonly clock: Clock;
	/** Has `write` called with the key soon. */
	enqueue(key: string): void;
}

/** Condition of pods and VMs: False while they have no port, or not all that they ask of it. Absent on those that never had trouble. */
export const networkReady = 'tapestry.io/NetworkReady';

/** What may be wrong: getting a lease, writing the lease's port, the security groups that it names, or what it wants done to its traffic. */
export type ProblemSource = 'lease' | 'port' | 'groups' | 'traffic';

/** Tells owners of leases what is wrong with their network and when it is well again: a condition, and one event for each new trouble. */
export class ProblemReporter {
	readonly #deps: ReporterDeps;
	readonly #problems = new Map<string, Map<ProblemSource, Problem>>();

	constructor(deps: ReporterDeps) {
		this.#deps = deps;
	}

	/** `undefined` when the source has nothing to complain of (any more). */
	report(key: string, source: ProblemSource, problem: Problem | undefined): void {
		const problems = this.#problems.get(key) ?? new Map<ProblemSource, Problem>();
		if (problem) this.#problems.set(key, problems.set(source, problem));
		else if (problems.delete(source) && problems.size === 0) this.#problems.delete(key);
		const object = findLeaseOwner(this.#deps.sources, key)?.object;
		if (problem || findCondition(object?.status?.conditions, networkReady)?.status === 'False') this.#deps.enqueue(key);
	}

	/** What is wrong with an owner now. */
	problemOf(key: string): Problem | undefined {
		return this.#problems.get(key)?.values().next().value;
	}

	/** Writes what `report` was last told. */
	async write(key: string, signal: Signal): Promise<void> {
		const found = findLeaseOwner(this.#deps.sources, key);
		const [problem] = this.#problems.get(key)?.values() ?? [];
		if (!found) return;
		const { object, resource } = found;
		const before = object.status?.conditions;
		if (!problem && findCondition(before, networkReady)?.status !== 'False') return;
		const conditions = setCondition(before, conditionOf(problem), this.#deps.clock.now());
		if (conditions === before) return;
		if (!(await patchConditions(this.#deps.client, found, { type: networkReady, conditions, signal }))) return;
		if (problem) this.#deps.events.record(resource, object, { type: 'Warning', reason: problem.reason, message: sentence(problem) });
	}
}

function conditionOf(problem: Problem | undefined): Omit<Condition, 'lastTransitionTime'> {
	if (!problem) return { type: networkReady, status: 'True', reason: 'Ready', message: 'the network is ready' };
	return { type: networkReady, status: 'False', reason: problem.reason, message: sentence(problem) };
}
