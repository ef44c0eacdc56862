import { hasEnded, isReady, type Pod, type StatefulSet, type StatefulSetStatus, statefulSets } from '@tapestry/kube';
import { availableIn, controlledBy, isLeaving, nextAvailable, podOf, templateHash } from './owned-pods.ts';
import type { Decision } from './owners.ts';

const revisionLabel = 'controller-revision-hash';

/**
 * What to do for a StatefulSet. `pods` are all that it owns; `now` is milliseconds since the epoch. Older templates are not kept: a pod below
 * `partition` that has to be made again gets the newest.
 */
export function decideStatefulSet(set: StatefulSet, pods: readonly Pod[], now: number): Decision<Pod, StatefulSetStatus> {
	const { replicas = 1, minReadySeconds = 0, ordinals } = set.spec ?? {};
	const start = ordinals?.start ?? 0;
	const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
	const wanted = Array.from({ length: replicas }, (_, index) => `${set.metadata.name}-${start + index}`);
	const surplus = pods.filter(({ metadata }) => !wanted.includes(metadata.name)).sort((a, b) => ordinalOf(b) - ordinalOf(a));
	const available = (pod: Pod | undefined): boolean => pod !== undefined && !hasEnded(pod) && availableIn(pod, minReadySeconds, now) === 0;
	const againMs = nextAvailable(pods, minReadySeconds, now);
	const decision = {
		status: statusOf(set, pods, available),
		...(againMs === undefined ? {} : { againMs }),
	};
	const ended = pods.filter((pod) => hasEnded(pod) && !isLeaving(pod));
	if (set.spec?.podManagementPolicy === 'Parallel') {
		const create = wanted.filter((name) => !byName.has(name)).map((name) => newPod(set, name));
		const leave = surplus.filter((pod) => !isLeaving(pod));
		const update = create.length === 0 ? toUpdate(set, wanted, byName, available) : [];
		return { ...decision, create, remove: unique([...ended, ...leave, ...update]) };
	}
	// In order: the first that is missing or not available holds up all that come after it.
	const blocker = wanted.find((name) => !available(byName.get(name)));
	if (blocker !== undefined && !byName.has(blocker)) return { ...decision, create: [newPod(set, blocker)], remove: ended };
	const isMoving = blocker !== undefined || pods.some(isLeaving);
	if (isMoving) return { ...decision, create: [], remove: ended.length > 0 ? ended : toUpdate(set, wanted, byName, available) };
	const [last] = surplus;
	return { ...decision, create: [], remove: last ? [last] : toUpdate(set, wanted, byName, available) };
}

/** The pod that is next to get the newest template: the last outdated one, once all others are available. */
function toUpdate(
	set: StatefulSet,
	wanted: readonly string[],
	pods: ReadonlyMap<string, Pod>,
	available: (pod: Pod | undefined) => boolean,
): Pod[] {
	const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {};
	if (type !== 'RollingUpdate') return [];
	const revision = revisionOf(set);
	const outdated = wanted.slice(rollingUpdate?.partition ?? 0).flatMap((name) => {
		const pod = pods.get(name);
		return pod && pod.metadata.labels?.[revisionLabel] !== revision ? pod : [];
	});
	const next = outdated.at(-1);
	// A broken pod must not keep the template that would mend it from coming.
	const othersStand = wanted.every((name) => name === next?.metadata.name || !pods.has(name) || available(pods.get(name)));
	return next !== undefined && othersStand && !isLeaving(next) ? [next] : [];
}

function newPod(set: StatefulSet, name: string): Pod {
	const { template, serviceName } = set.spec ?? { template: { spec: { containers: [] } } };
	const labels = {
		'statefulset.kubernetes.io/pod-name': name,
		'apps.kubernetes.io/pod-index': `${ordinal(name)}`,
		[revisionLabel]: revisionOf(set),
	};
	const subdomain = serviceName ? { subdomain: serviceName } : {};
	return podOf(set, controlledBy(statefulSets, set), template, { name, labels, hostname: name, ...subdomain });
}

function statusOf(set: StatefulSet, pods: readonly Pod[], available: (pod: Pod) => boolean): StatefulSetStatus {
	const alive = pods.filter((pod) => !hasEnded(pod));
	const revision = revisionOf(set);
	const updated = alive.filter(({ metadata }) => metadata.labels?.[revisionLabel] === revision).length;
	const isDone = updated === alive.length && updated === (set.spec?.replicas ?? 1);
	const before = set.status?.currentRevision;
	return {
		observedGeneration: set.metadata.generation ?? 0,
		replicas: alive.length,
		readyReplicas: alive.filter((pod) => isReady(pod) && !isLeaving(pod)).length,
		availableReplicas: alive.filter(available).length,
		updatedReplicas: updated,
		currentReplicas: isDone ? updated : alive.length - updated,
		currentRevision: isDone || before === undefined ? revision : before,
		updateRevision: revision,
	};
}

function revisionOf({ metadata, spec }: StatefulSet): string {
	return `${metadata.name}-${spec === undefined ? '' : templateHash(spec.template)}`;
}

const ordinal = (name: string): number => Number(name.slice(name.lastIndexOf('-') + 1));
const ordinalOf = ({ metadata }: Pod): number => ordinal(metadata.name);
const unique = (pods: readonly Pod[]): Pod[] => [...new Set(pods)];
