import { hasEnded, isReady, type Pod, type ReplicaSet, type ReplicaSetStatus, replicaSets } from '@tapestry/kube';
import { nameSuffix } from '../name-suffix.ts';
import { availableIn, controlledBy, isLeaving, nextAvailable, podOf } from './owned-pods.ts';
import type { Decision } from './owners.ts';

/** Pause before a pod that failed is replaced; doubles with each further one. Milliseconds. */
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;
/** Pods that failed and are kept for people to look at. */
const mostFailed = 10;

/** What to do for a ReplicaSet. `pods` are all that it owns; it adopts none that others made. `now` is milliseconds since the epoch. */
export function decideReplicaSet(set: ReplicaSet, pods: readonly Pod[], now: number): Decision<Pod, ReplicaSetStatus> {
	const { replicas = 1, minReadySeconds = 0 } = set.spec ?? {};
	const alive = pods.filter((pod) => !hasEnded(pod) && !isLeaving(pod));
	const failed = pods.filter(hasEnded).sort(byAge);
	const status: ReplicaSetStatus = {
		replicas: alive.length,
		fullyLabeledReplicas: alive.length,
		readyReplicas: alive.filter(isReady).length,
		availableReplicas: alive.filter((pod) => availableIn(pod, minReadySeconds, now) === 0).length,
		observedGeneration: set.metadata.generation ?? 0,
	};
	const missing = replicas - alive.length;
	const pauseMs = missing > 0 ? pauseAfter(failed, now) : 0;
	const againMs = pauseMs > 0 ? pauseMs : nextAvailable(alive, minReadySeconds, now);
	const surplus = missing < 0 ? [...alive].sort(byWorth).slice(missing) : [];
	return {
		status,
		create: pauseMs > 0 ? [] : newPods(set, pods, missing),
		remove: [...surplus, ...failed.filter((pod) => !isLeaving(pod)).slice(0, -mostFailed)],
		...(againMs === undefined ? {} : { againMs }),
	};
}

/** Their names follow from a number that no pod of the set has: a second try for a pod that is not seen yet makes no second pod. */
function newPods(set: ReplicaSet, pods: readonly Pod[], count: number): Pod[] {
	const { template } = set.spec ?? {};
	const taken = new Set(pods.map(({ metadata }) => metadata.name));
	const created: Pod[] = [];
	for (let index = 0; template && created.length < count; index++) {
		const name = `${set.metadata.name}-${nameSuffix(`${set.metadata.uid}/${index}`)}`;
		if (!taken.has(name)) created.push(podOf(set, controlledBy(replicaSets, set), template, { name }));
	}
	return created;
}

/** A pod that cannot run would otherwise be replaced for ever, as fast as the API allows. */
function pauseAfter(failed: readonly Pod[], now: number): number {
	const last = failed.at(-1);
	if (last === undefined) return 0;
	const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (failed.length - 1));
	return Math.max(0, Date.parse(last.metadata.creationTimestamp ?? '') + pause - now) || 0;
}

/** Those that are worth least come last: without a node, not ready, young. */
function byWorth(a: Pod, b: Pod): number {
	const worth = (pod: Pod): number => (pod.spec?.nodeName ? 2 : 0) + (isReady(pod) ? 1 : 0);
	return worth(b) - worth(a) || byAge(a, b);
}

function byAge(a: Pod, b: Pod): number {
	const [first = '', second = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
	if (first !== second) return first < second ? -1 : 1;
	return a.metadata.name < b.metadata.name ? -1 : 1;
}
