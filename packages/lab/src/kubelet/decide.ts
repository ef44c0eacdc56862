import { type Container, type Pod, hasEnded as saysEnded } from '@tapestry/kube';
import { isLauncher } from '@tapestry/network';
import type { ContainerRecord, PodRecord } from './record.ts';

/** The one thing to do next for a pod. */
export type Step =
	/** Nothing, until something changes or `ms` have passed. */
	| { readonly kind: 'wait'; readonly ms?: number }
	| { readonly kind: 'create-sandbox' }
	| { readonly kind: 'start'; readonly container: string }
	/** Ask all containers to end. */
	| { readonly kind: 'terminate' }
	/** End all containers. */
	| { readonly kind: 'kill' }
	| { readonly kind: 'remove-sandbox' }
	/** Tell the API that a deleted pod has ended. */
	| { readonly kind: 'confirm-deletion' }
	/** Remove what is known about the pod. */
	| { readonly kind: 'forget' };

/** Pause before the second restart; doubles with each further one. Kubernetes' values, in milliseconds. */
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

const wait: Step = { kind: 'wait' };

/**
 * The next step from what there is (`record`) to what should be (`pod`, undefined when the API has no such pod). `now` is milliseconds since
 * the epoch.
 */
export function decide(pod: Pod | undefined, record: PodRecord | undefined, now: number): Step {
	const running = runningContainers(record);
	if (pod === undefined) {
		if (record === undefined) return wait;
		if (running.length > 0) return { kind: 'kill' };
		return record.sandbox ? { kind: 'remove-sandbox' } : { kind: 'forget' };
	}
	if (pod.metadata.deletionTimestamp !== undefined) return decideDeleted(Date.parse(pod.metadata.deletionTimestamp), record, now);
	if (isRefused(pod)) return record ? { kind: 'forget' } : wait;
	if (hasEnded(pod, record)) {
		if (running.length > 0) return { kind: 'kill' };
		return record?.sandbox ? { kind: 'remove-sandbox' } : wait;
	}
	if (!record?.sandbox) return { kind: 'create-sandbox' };
	// Half made, by a kubelet that was killed or a plugin that failed.
	if (!record.sandbox.result) return { kind: 'remove-sandbox' };
	return decideContainers(pod, record, now);
}

/** Such a pod would share the node's own namespace, and its responder the node's ports: the lab does not run it. A launcher has no responder. */
export function isRefused(pod: Pod): boolean {
	return pod.spec?.hostNetwork === true && !isLauncher(pod);
}

/** The containers of a record that run. */
function runningContainers(record: PodRecord | undefined): readonly ContainerRecord[] {
	return Object.values(record?.containers ?? {}).filter(({ pid }) => pid !== undefined);
}

/** True when the pod has come to its end by itself: nothing in it will run again. */
export function hasEnded(pod: Pod, record: PodRecord | undefined): boolean {
	if (saysEnded(pod)) return true;
	return (pod.spec?.containers ?? []).every((container) => {
		const known = record?.containers[container.name];
		return known !== undefined && known.pid === undefined && !restarts(pod, known);
	});
}

/** When a container that has ended may start again, in milliseconds since the epoch. */
export function restartTime(container: ContainerRecord): number {
	if (container.exit === undefined) return 0;
	const pause = container.restarts === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (container.restarts - 1));
	return Date.parse(container.exit.finishedAt) + pause;
}

function decideDeleted(deadline: number, record: PodRecord | undefined, now: number): Step {
	if (runningContainers(record).length > 0) {
		if (now >= deadline) return { kind: 'kill' };
		return record?.stopping ? { kind: 'wait', ms: deadline - now } : { kind: 'terminate' };
	}
	return record?.sandbox ? { kind: 'remove-sandbox' } : { kind: 'confirm-deletion' };
}

function decideContainers(pod: Pod, record: PodRecord, now: number): Step {
	const ended = (pod.spec?.containers ?? []).filter(({ name }) => record.containers[name]?.pid === undefined);
	const due = (container: Container): number => {
		const known = record.containers[container.name];
		if (known === undefined) return 0;
		return restarts(pod, known) ? restartTime(known) : Number.POSITIVE_INFINITY;
	};
	const [next] = ended.map((container) => ({ name: container.name, at: due(container) })).sort((a, b) => a.at - b.at);
	if (next === undefined || next.at === Number.POSITIVE_INFINITY) return wait;
	return next.at <= now ? { kind: 'start', container: next.name } : { kind: 'wait', ms: next.at - now };
}

function restarts(pod: Pod, container: ContainerRecord): boolean {
	const policy = pod.spec?.restartPolicy ?? 'Always';
	return policy === 'Always' || (policy === 'OnFailure' && container.exit?.status !== 0);
}
