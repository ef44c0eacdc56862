import type { Clock, Logger, Signal } from '@tapestry/base';
import { createReflector, type KubeClient, type Pod, pods as podsResource, type Reflector } from '@tapestry/kube';
import { runEndpointSlices } from './endpoint-slices.ts';

export interface ControllerDeps {
	readonly client: KubeClient;
	readonly clock: Clock;
	/** A number in [0, 1). */
	readonly random: () => number;
	readonly log: Logger;
	readonly pods: Reflector<Pod>;
}

/** The controllers of builtin kinds that the lab's workloads need, in one program as in kube-controller-manager. They share nothing but the copy of the pods. */
export async function runControllerManager(deps: Omit<ControllerDeps, 'pods'>, signal: Signal, onReady: () => void): Promise<void> {
	await using pods = createReflector<Pod>(deps, { resource: podsResource });
	const parts = [runEndpointSlices].map((run) => {
		const ready = Promise.withResolvers<void>();
		return { ready: ready.promise, ended: run({ ...deps, pods }, signal, ready.resolve) };
	});
	const ended = Promise.all(parts.map((part) => part.ended));
	await Promise.race([ended, Promise.all(parts.map((part) => part.ready))]);
	if (!signal.aborted) onReady();
	await ended;
}
