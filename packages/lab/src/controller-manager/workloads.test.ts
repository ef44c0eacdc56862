import type { Deployment, DeploymentSpec, Pod, ReplicaSet, StatefulSet, StatefulSetSpec } from '@tapestry/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideDeployment } from './deployment.ts';
import { decideReplicaSet } from './replica-set.ts';
import { decideStatefulSet } from './stateful-set.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const templateOf = (image: string) => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } });
const selector = { matchLabels: { app: 'web' } };

const withStatus = (pod: Pod, status: Pod['status']): Pod => ({ ...pod, status: { ...pod.status, ...status } });
const ready = (pod: Pod, since = '2025-01-01T00:00:00Z'): Pod =>
	withStatus(pod, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }] });
const leaving = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
const failed = (pod: Pod): Pod =>
	withStatus({ ...pod, metadata: { ...pod.metadata, creationTimestamp: '2026-01-01T00:00:00Z' } }, { phase: 'Failed' });
const names = (pods: readonly { readonly metadata: { readonly name: string } }[]) => pods.map(({ metadata }) => metadata.name);

describe('a ReplicaSet', () => {
	const set = (replicas: number): ReplicaSet => ({
		metadata: { name: 'web', namespace: 'shop', uid: 'u', generation: 3 },
		spec: { replicas, minReadySeconds: 0, selector, template: templateOf('a') },
	});

	it('makes the pods that are missing, the same ones when asked again', () => {
		const { create } = decideReplicaSet(set(3), [], now);
		expect(create).toMatchObject(
			Array(3).fill({ metadata: { namespace: 'shop', labels: { app: 'web' }, ownerReferences: [{ uid: 'u' }] } }),
		);
		expect(new Set(names(create)).size).toBe(3);
		expect(decideReplicaSet(set(3), [], now).create).toEqual(create);
		const [first, ...rest] = create as [Pod, ...Pod[]];
		const next = decideReplicaSet(set(3), [leaving(first), ...rest], now).create;
		expect(next).toHaveLength(1);
		expect(names(create)).not.toContain(next[0]?.metadata.name);
	});

	it('removes what it can do without: pods without a node, then unready ones', () => {
		const [a, b, c] = decideReplicaSet(set(3), [], now).create as [Pod, Pod, Pod];
		const onNode = (pod: Pod): Pod => ({ ...pod, spec: { ...(pod.spec ?? { containers: [] }), nodeName: 'n1' } });
		const pods = [a, onNode(b), ready(onNode(c))];
		expect(names(decideReplicaSet(set(1), pods, now).remove).sort()).toEqual(names([a, b]).sort());
		expect(names(decideReplicaSet(set(2), pods, now).remove)).toEqual(names([a]));
	});

	it('counts what is ready, and what has been for long enough', () => {
		const pods = decideReplicaSet(set(2), [], now).create.map((pod) => ready(pod, '2025-12-31T23:59:55Z'));
		expect(decideReplicaSet(set(2), pods, now).status).toMatchObject({
			replicas: 2,
			readyReplicas: 2,
			availableReplicas: 2,
			observedGeneration: 3,
		});
		const slow = { ...set(2), spec: { ...(set(2).spec as NonNullable<ReplicaSet['spec']>), minReadySeconds: 15 } };
		expect(decideReplicaSet(slow, pods, now)).toMatchObject({ status: { readyReplicas: 2, availableReplicas: 0 }, againMs: 10_000 });
	});

	it('replaces pods that fail more and more slowly', () => {
		const [first, second] = decideReplicaSet(set(2), [], now).create.map(failed) as [Pod, Pod];
		expect(decideReplicaSet(set(1), [first], now)).toMatchObject({ create: [], againMs: 10_000 });
		expect(decideReplicaSet(set(1), [first, second], now)).toMatchObject({ create: [], againMs: 20_000 });
		expect(decideReplicaSet(set(1), [first, second], now + 20_000).create).toHaveLength(1);
	});
});

describe('a Deployment', () => {
	const deployment = (image: string, replicas: number, spec: Partial<DeploymentSpec> = {}): Deployment => ({
		metadata: { name: 'web', namespace: 'shop', uid: 'd' },
		spec: { replicas, selector, template: templateOf(image), ...spec },
	});
	const sizes = (sets: readonly ReplicaSet[]) => sets.map(({ spec }) => spec?.replicas);

	/** Goes on until nothing changes. Pods of new sets are available as `mayServe` allows. `see` is told of every state. */
	function rollOut(
		target: Deployment,
		start: readonly ReplicaSet[],
		see: (sets: readonly ReplicaSet[]) => void = () => {},
		mayServe: (set: ReplicaSet) => boolean = () => true,
	): readonly ReplicaSet[] {
		let sets = start;
		for (let step = 0; step < 200; step++) {
			const { create, update = [], remove } = decideDeployment(target, sets, now);
			if (create.length + update.length + remove.length === 0) return sets;
			const changed = new Map([...update, ...create].map((set) => [set.metadata.name, set]));
			const gone = new Set(names(remove));
			sets = [...sets.filter(({ metadata }) => !changed.has(metadata.name) && !gone.has(metadata.name)), ...changed.values()];
			see(sets);
			sets = sets.map((set) => {
				const size = set.spec?.replicas ?? 0;
				const serving = mayServe(set) ? size : Math.min(size, set.status?.availableReplicas ?? 0);
				return { ...set, status: { replicas: size, readyReplicas: serving, availableReplicas: serving } };
			});
		}
		throw new Error('it never comes to rest');
	}

	it('has a set named by its template, which knows its pods by a hash', () => {
		const [set] = rollOut(deployment('a', 2), []);
		const hash = set?.spec?.template.metadata?.labels?.['pod-template-hash'];
		expect(set).toMatchObject({
			metadata: { name: `web-${hash}`, annotations: { 'deployment.kubernetes.io/revision': '1' } },
			spec: { replicas: 2, selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } } },
		});
	});

	it('rolls out within its limits and ends with the new pods only', () => {
		const count = fc.integer({ min: 1, max: 12 });
		fc.assert(
			fc.property(
				count,
				count,
				fc.integer({ min: 0, max: 3 }),
				fc.integer({ min: 0, max: 3 }),
				(before, after, maxSurge, maxUnavailable) => {
					const old = rollOut(deployment('a', before), []);
					const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } };
					const missing = maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable;
					const end = rollOut(deployment('b', after, { strategy }), old, (sets) => {
						const total = sets.reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
						const serving = sets.reduce((sum, { spec, status }) => sum + Math.min(spec?.replicas ?? 0, status?.availableReplicas ?? 0), 0);
						expect(total).toBeLessThanOrEqual(Math.max(before, after + maxSurge));
						expect(serving).toBeGreaterThanOrEqual(Math.min(before, after - missing));
					});
					expect(
						end.filter(({ spec }) => spec?.replicas).map(({ spec }) => [spec?.template.spec.containers[0]?.image, spec?.replicas]),
					).toEqual([['b', after]]);
				},
			),
			{ numRuns: 100 },
		);
	});

	it('keeps the old pods while the new ones do not work', () => {
		const old = rollOut(deployment('a', 4), []);
		const end = rollOut(deployment('b', 4), old, undefined, (set) => set.spec?.template.spec.containers[0]?.image === 'a');
		expect(sizes(end)).toEqual([3, 2]);
	});

	it('goes back to an old set, as kubectl rollout undo has it', () => {
		const both = rollOut(deployment('b', 2), rollOut(deployment('a', 2), []));
		const back = rollOut(deployment('a', 2), both);
		expect(back).toHaveLength(2);
		const current = back.find(({ spec }) => spec?.replicas === 2);
		expect(current?.spec?.template.spec.containers[0]?.image).toBe('a');
		expect(current?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '3' });
	});

	it('recreates: nothing new before all of the old has gone', () => {
		const old = rollOut(deployment('a', 2), []);
		rollOut(deployment('b', 2, { strategy: { type: 'Recreate' } }), old, (sets) => {
			expect(sets.filter(({ spec, status }) => (spec?.replicas ?? 0) > 0 || (status?.replicas ?? 0) > 0)).toHaveLength(1);
		});
	});

	it('does nothing new while it is paused, and forgets sets beyond its history', () => {
		const old = rollOut(deployment('a', 2), []);
		expect(decideDeployment(deployment('b', 2, { paused: true }), old, now)).toMatchObject({ create: [], remove: [] });
		const many = ['b', 'c', 'd'].reduce((sets, image) => rollOut(deployment(image, 1), sets), old);
		expect(rollOut(deployment('d', 1, { revisionHistoryLimit: 1 }), many)).toHaveLength(2);
	});

	it('says when it is available', () => {
		const sets = rollOut(deployment('a', 2), []);
		expect(decideDeployment(deployment('a', 2), sets, now).status).toMatchObject({
			replicas: 2,
			updatedReplicas: 2,
			availableReplicas: 2,
			unavailableReplicas: 0,
			conditions: [
				{ type: 'Available', status: 'True' },
				{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
			],
		});
		expect(decideDeployment(deployment('a', 2), [], now).status.conditions?.[0]).toMatchObject({ type: 'Available', status: 'False' });
	});
});

describe('a StatefulSet', () => {
	const set = (replicas: number, spec: Partial<StatefulSetSpec> = {}, image = 'a'): StatefulSet => ({
		metadata: { name: 'db', namespace: 'shop', uid: 's' },
		spec: { replicas, serviceName: 'db', selector, template: templateOf(image), ...spec },
	});
	const start = (of: StatefulSet, pods: readonly Pod[] = []): Pod[] => decideStatefulSet(of, pods, now).create as Pod[];
	const grown = (of: StatefulSet): Pod[] => {
		const pods: Pod[] = [];
		for (let next = start(of); next.length > 0; next = start(of, pods)) pods.push(...next.map((pod) => ready(pod)));
		return pods;
	};

	it('gives its pods stable names, and the next only when the last is ready', () => {
		const first = start(set(2));
		expect(first).toMatchObject([
			{ metadata: { name: 'db-0', labels: { 'statefulset.kubernetes.io/pod-name': 'db-0' } }, spec: { hostname: 'db-0', subdomain: 'db' } },
		]);
		expect(start(set(2), first)).toEqual([]);
		expect(
			names(
				start(
					set(2),
					first.map((pod) => ready(pod)),
				),
			),
		).toEqual(['db-1']);
	});

	it('makes and removes all at once when they are managed in parallel, from the ordinal it starts with', () => {
		expect(names(start(set(3, { podManagementPolicy: 'Parallel', ordinals: { start: 5 } })))).toEqual(['db-5', 'db-6', 'db-7']);
		const pods = grown(set(3));
		expect(names(decideStatefulSet(set(1, { podManagementPolicy: 'Parallel' }), pods, now).remove)).toEqual(['db-2', 'db-1']);
	});

	it('shrinks from the end, one after the other', () => {
		const pods = grown(set(3));
		expect(names(decideStatefulSet(set(1), pods, now).remove)).toEqual(['db-2']);
		const [zero, one, two] = pods as [Pod, Pod, Pod];
		expect(decideStatefulSet(set(1), [zero, one, leaving(two)], now).remove).toEqual([]);
		expect(names(decideStatefulSet(set(1), [zero, one], now).remove)).toEqual(['db-1']);
	});

	it('makes a lost pod again under its name, and waits until the old one has gone', () => {
		const [zero, one] = grown(set(2)) as [Pod, Pod];
		expect(names(start(set(2), [one]))).toEqual(['db-0']);
		expect(start(set(2), [leaving(zero), one])).toEqual([]);
		expect(names(decideStatefulSet(set(2), [failed(zero), one], now).remove)).toEqual(['db-0']);
	});

	it('brings a new template to the last pod first, and to none below the partition', () => {
		const pods = grown(set(2));
		const next = set(2, {}, 'b');
		expect(names(decideStatefulSet(next, pods, now).remove)).toEqual(['db-1']);
		const partition = { updateStrategy: { type: 'RollingUpdate' as const, rollingUpdate: { partition: 2 } } };
		expect(decideStatefulSet(set(2, partition, 'b'), pods, now).remove).toEqual([]);
		expect(decideStatefulSet(set(2, { updateStrategy: { type: 'OnDelete' } }, 'b'), pods, now).remove).toEqual([]);
		const [zero] = pods as [Pod];
		const renewed = start(next, [zero]).map((pod) => ready(pod));
		expect(names(decideStatefulSet(next, [zero, ...renewed], now).remove)).toEqual(['db-0']);
	});

	it('mends a pod that never becomes ready by a new template', () => {
		const [zero] = start(set(2)) as [Pod];
		expect(names(decideStatefulSet(set(2, {}, 'b'), [zero], now).remove)).toEqual(['db-0']);
	});

	it('counts its pods by revision', () => {
		const pods = grown(set(2));
		expect(decideStatefulSet(set(2), pods, now).status).toMatchObject({
			replicas: 2,
			readyReplicas: 2,
			availableReplicas: 2,
			updatedReplicas: 2,
		});
		const { currentRevision = '' } = decideStatefulSet(set(2), pods, now).status;
		const next = { ...set(2, {}, 'b'), status: { currentRevision } };
		expect(decideStatefulSet(next, pods, now).status).toMatchObject({ updatedReplicas: 0, currentReplicas: 2, currentRevision });
	});
});
