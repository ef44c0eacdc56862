import type { Signal } from '@tapestry/base';
import {
	createReflector,
	deployments,
	type KubeDeps,
	type Pod,
	pods as podsResource,
	type ReplicaSet,
	replicaSets,
	statefulSets,
} from '@tapestry/kube';
import { decideDeployment } from './deployment.ts';
import { runEndpointSlices } from './endpoint-slices.ts';
import { runOwners } from './owners.ts';
import { decideReplicaSet } from './replica-set.ts';
import { decideStatefulSet } from './stateful-set.ts';

/** The controllers of builtin kinds that the lab's workloads need, in one program as in kube-controller-manager. They share nothing but their copies of what several of them look at. */
export async function runControllerManager(deps: KubeDeps, signal: Signal, onReady: () => void): Promise<void> {
	await using pods = createReflector<Pod>(deps, { resource: podsResource });
	await using sets = createReflector<ReplicaSet>(deps, { resource: replicaSets });
	const all = { ...deps, pods };
	const ofPods = { childResource: podsResource, children: pods };
	const parts = [
		(ready: () => void) => runEndpointSlices(all, signal, ready),
		(ready: () => void) =>
			runOwners(all, { ...ofPods, resource: replicaSets, component: 'replicaset-controller', decide: decideReplicaSet }, signal, ready),
		(ready: () => void) =>
			runOwners(all, { ...ofPods, resource: statefulSets, component: 'statefulset-controller', decide: decideStatefulSet }, signal, ready),
		(ready: () => void) =>
			runOwners(
				all,
				{
					resource: deployments,
					childResource: replicaSets,
					children: sets,
					component: 'deployment-controller',
					decide: decideDeployment,
				},
				signal,
				ready,
			),
	].map((run) => {
		const ready = Promise.withResolvers<void>();
		return { ready: ready.promise, ended: run(ready.resolve) };
	});
	const ended = Promise.all(parts.map((part) => part.ended));
	await Promise.race([ended, Promise.all(parts.map((part) => part.ready))]);
	if (!signal.aborted) onReady();
	await ended;
}
