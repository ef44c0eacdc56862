import { isDeepStrictEqual } from 'node:util';
import {
	type Condition,
	type Deployment,
	type DeploymentStatus,
	deployments,
	type PodTemplate,
	type ReplicaSet,
	setCondition,
} from '@tapestry/kube';
import { controlledBy, templateHash } from './owned-pods.ts';
import type { Decision } from './owners.ts';

const hashLabel = 'pod-template-hash';
/** By it kubectl rollout history and undo know which set followed which. */
const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** What to do for a Deployment. `sets` are all ReplicaSets that it owns; `now` is milliseconds since the epoch. */
export function decideDeployment(deployment: Deployment, sets: readonly ReplicaSet[], now: number): Decision<ReplicaSet, DeploymentStatus> {
	const { replicas = 1, paused = false, template } = deployment.spec ?? {};
	const current = sets.find((set) => template !== undefined && isDeepStrictEqual(withoutHash(set.spec?.template), withoutHash(template)));
	const old = sets.filter((set) => set !== current);
	const status = statusOf(deployment, current, sets, now);
	if (paused || template === undefined) return { status, create: [], remove: [] };
	const sizes = sizesOf(deployment, current, old);
	const revision = `${Math.max(0, ...old.map(revisionOf)) + 1}`;
	if (current === undefined) {
		const size = Math.min(replicas, sizes.current);
		return { status, create: [newSet(deployment, template, size, revision)], update: resized(old, sizes.old), remove: [] };
	}
	const known = revisionOf(current) > Math.max(0, ...old.map(revisionOf)) ? current : withRevision(current, revision);
	return {
		status,
		create: [],
		update: [
			...(known === current ? [] : [known]),
			...resized([known], new Map([[known.metadata.name, sizes.current]])),
			...resized(old, sizes.old),
		]
			// One write for each set: the last has all changes.
			.filter((set, index, all) => all.findLastIndex(({ metadata }) => metadata.name === set.metadata.name) === index),
		remove: isComplete(deployment, status) ? outdated(deployment, old) : [],
	};
}

interface Sizes {
	readonly current: number;
	/** By name. */
	readonly old: ReadonlyMap<string, number>;
}

/** How many pods each set may have now: never more in all than maxSurge allows, never fewer available than maxUnavailable allows. */
function sizesOf(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): Sizes {
	const { replicas = 1, strategy } = deployment.spec ?? {};
	const wanted = current?.spec?.replicas ?? 0;
	if (strategy?.type === 'Recreate') {
		const stillThere = old.some((set) => (set.status?.replicas ?? 0) > 0 || (set.spec?.replicas ?? 0) > 0);
		return { current: stillThere ? Math.min(wanted, replicas) : replicas, old: new Map(old.map(({ metadata }) => [metadata.name, 0])) };
	}
	const surge = share(strategy?.rollingUpdate?.maxSurge ?? '25%', replicas, Math.ceil);
	const missing = share(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
	// Source: apps/v1, both cannot be zero: nothing could ever move.
	const mayMiss = surge === 0 && missing === 0 ? 1 : missing;
	const total = wanted + sum(old.map((set) => set.spec?.replicas ?? 0));
	const grown = Math.min(replicas, wanted + Math.max(0, replicas + surge - total));
	return { current: grown, old: shrunk(old, current, replicas - mayMiss) };
}

/** The old sets' sizes: what is not available goes at once, the rest as far as enough stay available. */
function shrunk(old: readonly ReplicaSet[], current: ReplicaSet | undefined, mustBeAvailable: number): ReadonlyMap<string, number> {
	const available = (set: ReplicaSet | undefined): number => Math.min(set?.status?.availableReplicas ?? 0, set?.spec?.replicas ?? 0);
	let spare = Math.max(0, available(current) + sum(old.map(available)) - mustBeAvailable);
	return new Map(
		old.map((set) => {
			const healthy = available(set);
			const gone = Math.min(healthy, spare);
			spare -= gone;
			return [set.metadata.name, healthy - gone];
		}),
	);
}

function resized(sets: readonly ReplicaSet[], sizes: ReadonlyMap<string, number>): ReplicaSet[] {
	return sets.flatMap((set) => {
		const size = sizes.get(set.metadata.name);
		if (size === undefined || set.spec === undefined || set.spec.replicas === size) return [];
		return { ...set, spec: { ...set.spec, replicas: size } };
	});
}

function newSet(deployment: Deployment, template: PodTemplate, replicas: number, revision: string): ReplicaSet {
	const { name, namespace } = deployment.metadata;
	const { selector, minReadySeconds } = deployment.spec ?? { selector: {} };
	const hash = templateHash(template);
	const labels = { ...template.metadata?.labels, [hashLabel]: hash };
	return {
		metadata: {
			name: `${name}-${hash}`,
			...(namespace === undefined ? {} : { namespace }),
			labels,
			annotations: { [revisionAnnotation]: revision },
			ownerReferences: [controlledBy(deployments, deployment)],
		},
		spec: {
			replicas,
			...(minReadySeconds === undefined ? {} : { minReadySeconds }),
			selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
			template: { ...template, metadata: { ...template.metadata, labels } },
		},
	};
}

function withRevision(set: ReplicaSet, revision: string): ReplicaSet {
	const annotations = { ...set.metadata.annotations, [revisionAnnotation]: revision };
	return { ...set, metadata: { ...set.metadata, annotations } };
}

function statusOf(deployment: Deployment, current: ReplicaSet | undefined, sets: readonly ReplicaSet[], now: number): DeploymentStatus {
	const { replicas = 1, strategy } = deployment.spec ?? {};
	const count = (field: 'replicas' | 'readyReplicas' | 'availableReplicas', of: readonly ReplicaSet[]): number =>
		sum(of.map((set) => set.status?.[field] ?? 0));
	const available = count('availableReplicas', sets);
	const updated = current === undefined ? 0 : count('replicas', [current]);
	const missing = strategy?.type === 'Recreate' ? replicas : share(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
	const total = count('replicas', sets);
	const isDone = updated >= replicas && total === updated && available >= replicas;
	const conditions: readonly Omit<Condition, 'lastTransitionTime'>[] = [
		available >= replicas - missing
			? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
			: {
					type: 'Available',
					status: 'False',
					reason: 'MinimumReplicasUnavailable',
					message: 'Deployment does not have minimum availability.',
				},
		isDone
			? {
					type: 'Progressing',
					status: 'True',
					reason: 'NewReplicaSetAvailable',
					message: `ReplicaSet "${current?.metadata.name}" has successfully progressed.`,
				}
			: { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: 'ReplicaSets are being scaled.' },
	];
	return {
		observedGeneration: deployment.metadata.generation ?? 0,
		replicas: total,
		updatedReplicas: updated,
		readyReplicas: count('readyReplicas', sets),
		availableReplicas: available,
		unavailableReplicas: Math.max(0, Math.max(total, replicas) - available),
		conditions: conditions.reduce((list, condition) => setCondition(list, condition, now), deployment.status?.conditions ?? []),
	};
}

function isComplete({ spec }: Deployment, status: DeploymentStatus): boolean {
	const { replicas = 1 } = spec ?? {};
	return status.updatedReplicas === replicas && status.replicas === replicas && status.availableReplicas === replicas;
}

/** Old sets that are kept for `kubectl rollout undo` no longer. */
function outdated({ spec }: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
	const empty = old.filter((set) => (set.spec?.replicas ?? 0) === 0 && (set.status?.replicas ?? 0) === 0);
	return empty.sort((a, b) => revisionOf(b) - revisionOf(a)).slice(spec?.revisionHistoryLimit ?? 10);
}

const revisionOf = ({ metadata }: ReplicaSet): number => Number(metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function share(value: number | string, of: number, round: (share: number) => number): number {
	if (typeof value === 'string' && value.endsWith('%')) return round((Number.parseInt(value, 10) * of) / 100);
	return Number(value);
}

function withoutHash(template: PodTemplate | undefined): object {
	const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
	return { ...template, metadata: { ...template?.metadata, labels } };
}
