import { isDeepStrictEqual } from 'node:util';
import { isCoded, messageOf } from '@tapestry/base';
import {
	createReflector,
	createWorkQueue,
	type EventRecorder,
	type EventType,
	type KubeDeps,
	type ObjectChange,
	type Pod,
	pods,
	type Reflector,
	type WorkQueue,
} from '@tapestry/kube';
import { isLauncher } from '@tapestry/network';
import { decide, type Step } from './decide.ts';
import { PodRuntime, type PodRuntimeDeps, type PodRuntimeOptions } from './pod-runtime.ts';
import { imageNotRun, podStatus } from './pod-status.ts';

export interface PodKeeperDeps extends KubeDeps, Omit<PodRuntimeDeps, 'onChange'> {
	readonly recorder: EventRecorder;
}

export interface PodKeeperOptions extends PodRuntimeOptions {
	readonly hostIps: readonly string[];
}

/** Pods that are worked on at once; most of that time they wait for the network plugin. */
const concurrency = 16;

/** Runs the node's pods until the signal is aborted; then they are left running. `onReady` is called when the API's pods are known. */
export async function keepPods(deps: PodKeeperDeps, options: PodKeeperOptions, signal: AbortSignal, onReady: () => void): Promise<void> {
	await using reflector = createReflector<Pod>(deps, { resource: pods, fieldSelector: `spec.nodeName=${options.node}` });
	const keeper = new PodKeeper(deps, options, reflector, signal);
	await keeper.run(onReady);
}

class PodKeeper {
	readonly #deps: PodKeeperDeps;
	readonly #options: PodKeeperOptions;
	readonly #signal: AbortSignal;
	readonly #queue: WorkQueue;
	readonly #runtime: PodRuntime;
	readonly #reflector: Reflector<Pod>;
	/** The API's pods by UID: a name may pass to a new pod while the old one's remains are still being removed. */
	readonly #pods = new Map<string, Pod>();
	/** Ends the making of a sandbox whose pod goes meanwhile. */
	readonly #creating = new Map<string, AbortController>();

	constructor(deps: PodKeeperDeps, options: PodKeeperOptions, reflector: Reflector<Pod>, signal: AbortSignal) {
		this.#deps = deps;
		this.#options = options;
		this.#signal = signal;
		this.#reflector = reflector;
		this.#queue = createWorkQueue(deps);
		this.#runtime = new PodRuntime({ ...deps, onChange: (uid) => this.#queue.add(uid) }, options);
	}

	async run(onReady: () => void): Promise<void> {
		this.#reflector.onChange((change) => this.#changed(change));
		await this.#reflector.synced(this.#signal);
		// Only now is it known which of the recorded pods are gone.
		this.#runtime.recover();
		for (const uid of this.#runtime.uids) this.#queue.add(uid);
		onReady();
		await this.#queue.run(concurrency, (uid) => this.#reconcile(uid), this.#signal);
		this.#runtime.close();
	}

	#changed({ before, after }: ObjectChange<Pod>): void {
		const [old, uid] = [before?.metadata.uid, after?.metadata.uid];
		if (old !== undefined && old !== uid) this.#pods.delete(old);
		if (after !== undefined && uid !== undefined) this.#pods.set(uid, after);
		for (const one of new Set([old, uid])) {
			if (one === undefined) continue;
			if (this.#pods.get(one)?.metadata.deletionTimestamp !== undefined || !this.#pods.has(one)) this.#creating.get(one)?.abort();
			this.#queue.add(one);
		}
	}

	async #reconcile(uid: string): Promise<void> {
		for (;;) {
			const pod = this.#pods.get(uid);
			const step = decide(pod, this.#runtime.record(uid), this.#deps.clock.now());
			if (step.kind === 'wait') {
				if (step.ms !== undefined) this.#queue.addAfter(uid, step.ms);
				await this.#report(uid);
				return;
			}
			this.#deps.log.debug('pod', { uid, name: pod?.metadata.name, step });
			await this.#perform(uid, step, pod);
			// What comes of these, the containers' ends and the API tell.
			if (step.kind === 'confirm-deletion' || step.kind === 'kill') return;
		}
	}

	async #perform(uid: string, step: Exclude<Step, { kind: 'wait' }>, pod: Pod | undefined): Promise<void> {
		switch (step.kind) {
			case 'create-sandbox':
				if (pod) await Promise.all([this.#createSandbox(uid, pod), this.#report(uid)]);
				return;
			case 'start':
				if (!pod) return;
				this.#runtime.start(pod, step.container);
				if (!isLauncher(pod)) this.#event(pod, 'Normal', 'ImageNotRun', imageNotRun);
				return;
			case 'terminate':
				if (pod) this.#event(pod, 'Normal', 'Killing', 'Stopping the containers');
				return this.#runtime.terminate(uid);
			case 'kill':
				return this.#runtime.kill(uid);
			case 'remove-sandbox':
				return this.#removeSandbox(uid, pod);
			case 'confirm-deletion':
				return this.#confirmDeletion(uid, pod);
			case 'forget':
				return this.#runtime.forget(uid);
		}
	}

	async #createSandbox(uid: string, pod: Pod): Promise<void> {
		const gone = new AbortController();
		this.#creating.set(uid, gone);
		try {
			await this.#runtime.createSandbox(pod, AbortSignal.any([gone.signal, this.#signal]));
		} catch (error) {
			if (gone.signal.aborted) return;
			if (!this.#signal.aborted) this.#event(pod, 'Warning', 'FailedCreatePodSandBox', messageOf(error));
			throw error;
		} finally {
			this.#creating.delete(uid);
		}
	}

	async #removeSandbox(uid: string, pod: Pod | undefined): Promise<void> {
		try {
			await this.#runtime.removeSandbox(uid, this.#signal);
		} catch (error) {
			if (pod && !this.#signal.aborted) this.#event(pod, 'Warning', 'FailedKillPod', messageOf(error));
			throw error;
		}
	}

	/** The API keeps a deleted pod until its kubelet says that nothing is left of it. */
	async #confirmDeletion(uid: string, pod: Pod | undefined): Promise<void> {
		if (!pod) return;
		const { name, namespace = 'default' } = pod.metadata;
		await this.#report(uid);
		this.#runtime.forget(uid);
		try {
			await this.#deps.client.remove(pods, { name, namespace }, { uid, gracePeriodSeconds: 0, signal: this.#signal });
		} catch (error) {
			if (!isGone(error)) throw error;
		}
	}

	/** Writes the pod's status where it differs from what the API has. */
	async #report(uid: string): Promise<void> {
		const pod = this.#pods.get(uid);
		if (!pod) return;
		const status = podStatus(pod, this.#runtime.record(uid), this.#options.hostIps, this.#deps.clock.now());
		if (isDeepStrictEqual({ ...pod.status, ...status }, { ...pod.status })) return;
		const { name, namespace = 'default' } = pod.metadata;
		// The UID makes the API refuse a status that is meant for an earlier pod of this name.
		const body = { metadata: { uid }, status };
		const options = { subresource: 'status', signal: this.#signal };
		try {
			await this.#deps.client.patch(pods, { name, namespace }, 'application/strategic-merge-patch+json', body, options);
		} catch (error) {
			if (!isGone(error)) throw error;
		}
	}

	#event(pod: Pod, type: EventType, reason: string, message: string): void {
		this.#deps.recorder.record(pods, pod, { type, reason, message });
	}
}

/** The pod does not exist any more; another one may have its name. */
function isGone(error: unknown): boolean {
	return isCoded(error, 'KUBE_NOT_FOUND') || isCoded(error, 'KUBE_CONFLICT');
}
