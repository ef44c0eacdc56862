import { type ErrorText, sentence } from '@tapestry/base';
import { type Condition, findCondition, type Pod, setCondition, timestamp } from '@tapestry/kube';
import { annotations, type VirtualMachineInstance } from '@tapestry/network';
import { launcherPod } from './launcher-pod.ts';
import { instanceFinalizer } from './new-instance.ts';
import { guestRuns, hasEnded, type InstanceStatus, type Phase, phaseOf } from './phase.ts';
import { findInstanceProblem } from './problem.ts';

export interface InstanceDecision {
	readonly status: InstanceStatus;
	/** The finalizers that the instance should have; absent when they are right. Nothing else may be done before they are. */
	readonly finalizers?: readonly string[];
	/** The launcher pod to make. */
	readonly create?: Pod;
	/** Launcher pods to delete. */
	readonly remove: readonly Pod[];
	/** Launcher pods to remove without waiting for their kubelet. */
	readonly abandon: readonly Pod[];
	/** When to look again if nothing happens, in milliseconds. */
	readonly againMs?: number;
}

/** Why a launcher cannot run its machine: by the launcher itself, by the API server that refused the pod, or found here beforehand. */
export const synchronizedCondition = 'Synchronized';
const invalidReason = 'Invalid';
const refusedReason = 'FailedCreate';

/**
 * What an instance's object should say and which pods it should have. `pods` are all that it owns; `now` is milliseconds since the epoch.
 * @param isLost whether a node does not answer any more
 */
export function decideInstance(
	instance: VirtualMachineInstance,
	pods: readonly Pod[],
	now: number,
	isLost: (node: string) => boolean,
): InstanceDecision {
	const { deletionTimestamp, finalizers = [] } = instance.metadata;
	const held = finalizers.includes(instanceFinalizer);
	const problem = pods.length === 0 ? findInstanceProblem(instance) : undefined;
	const status = statusOf(instance, pods[0], problem, now);
	const decision = { status, remove: [], ...evictions(pods, now, isLost) };
	if (deletionTimestamp !== undefined) {
		const rest = finalizers.filter((name) => name !== instanceFinalizer);
		const remove = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
		return { ...decision, remove, ...(held && pods.length === 0 ? { finalizers: rest } : {}) };
	}
	if (!held && !hasEnded(status.phase)) return { ...decision, finalizers: [...finalizers, instanceFinalizer] };
	const create = pods.length === 0 && problem === undefined && !hasEnded(status.phase);
	return { ...decision, ...(create ? { create: launcherPod(instance) } : {}) };
}

/** An instance whose launcher pod the API server refused. */
export function refusedStatus(instance: VirtualMachineInstance, message: string, now: number): InstanceStatus {
	const condition = { type: synchronizedCondition, status: 'False', reason: refusedReason, message } as const;
	return { ...instance.status, conditions: setCondition(instance.status?.conditions, condition, now) };
}

/**
 * A pod that was evicted from a lost node has no kubelet to confirm its end, and its machine would wait for the node for ever. Once its time
 * to end is over it is given up: should it still run there, the network is closed to it, as its port is requested for another chassis.
 */
function evictions(pods: readonly Pod[], now: number, isLost: (node: string) => boolean): Pick<InstanceDecision, 'abandon' | 'againMs'> {
	const waits = pods.flatMap((pod) => {
		const { deletionTimestamp } = pod.metadata;
		const lost = deletionTimestamp !== undefined && isLost(pod.spec?.nodeName ?? '');
		return lost ? [{ pod, ms: Date.parse(deletionTimestamp) - now }] : [];
	});
	const later = waits.filter(({ ms }) => ms > 0).map(({ ms }) => ms);
	return {
		abandon: waits.filter(({ ms }) => ms <= 0).map(({ pod }) => pod),
		...(later.length === 0 ? {} : { againMs: Math.min(...later) }),
	};
}

function statusOf(instance: VirtualMachineInstance, pod: Pod | undefined, problem: ErrorText | undefined, now: number): InstanceStatus {
	const before: InstanceStatus = instance.status ?? {};
	const known = before.phase || 'Pending';
	// Its pod was seen and is no longer there: somebody removed it, and the guest with it.
	const lost = pod === undefined && Object.keys(before.activePods ?? {}).length > 0;
	const phase: Phase = pod !== undefined ? phaseOf(known, pod) : lost && !hasEnded(known) ? 'Failed' : known;
	const transitions = before.phaseTransitionTimestamps ?? [];
	const changed = phase !== before.phase;
	return {
		...before,
		phase,
		...(lost && changed ? { reason: 'LauncherPodRemoved' } : {}),
		...(pod === undefined ? {} : podFacts(instance, pod)),
		conditions: conditionsOf(before.conditions ?? [], { phase, pod, problem }, now),
		phaseTransitionTimestamps: changed ? [...transitions, { phase, phaseTransitionTimestamp: timestamp(now) }] : transitions,
	};
}

function podFacts(instance: VirtualMachineInstance, pod: Pod): Partial<InstanceStatus> {
	const node = pod.spec?.nodeName;
	const addresses = addressesOf(pod);
	return {
		activePods: { ...(pod.metadata.uid === undefined ? {} : { [pod.metadata.uid]: node ?? '' }) },
		...(node === undefined ? {} : { nodeName: node }),
		...(addresses.length === 0 ? {} : { interfaces: [interfaceOf(instance, pod, addresses)] }),
	};
}

/** The machine's addresses are those of its pod, as the port is one and the same; a pod in the node's own network has the node's. */
function addressesOf({ metadata, spec, status }: Pod): readonly string[] {
	if (!spec?.hostNetwork) return (status?.podIPs ?? []).map(({ ip }) => ip);
	return metadata.annotations?.[annotations.ipAddress]?.split(',') ?? [];
}

function interfaceOf(instance: VirtualMachineInstance, pod: Pod, addresses: readonly string[]) {
	const [first] = addresses;
	const mac = pod.metadata.annotations?.[annotations.macAddress];
	return {
		// KubeVirt's name for the pod network of a machine that names none.
		name: instance.spec.networks?.find((network) => network.pod !== undefined)?.name ?? 'default',
		...(mac === undefined ? {} : { mac }),
		...(first === undefined ? {} : { ipAddress: first }),
		ipAddresses: addresses,
		infoSource: 'domain',
	};
}

interface ConditionFacts {
	readonly phase: Phase;
	readonly pod: Pod | undefined;
	readonly problem: ErrorText | undefined;
}

function conditionsOf(before: readonly Condition[], facts: ConditionFacts, now: number): readonly Condition[] {
	const { phase, pod, problem } = facts;
	const scheduled = findCondition(pod?.status?.conditions, 'PodScheduled');
	const kept = before.filter((condition) => !isOutdated(condition, facts));
	const conditions = [readyCondition(phase, pod)];
	if (scheduled?.status === 'False') {
		const { type, status, reason = '', message = '' } = scheduled;
		conditions.push({ type, status, reason, message });
	}
	if (problem !== undefined) {
		conditions.push({ type: synchronizedCondition, status: 'False', reason: invalidReason, message: sentence(problem) });
	}
	return conditions.reduce<readonly Condition[]>((current, condition) => setCondition(current, condition, now), kept);
}

function isOutdated({ type, reason }: Condition, { phase, pod, problem }: ConditionFacts): boolean {
	if (type === 'PodScheduled') return findCondition(pod?.status?.conditions, type)?.status !== 'False';
	if (type !== synchronizedCondition) return false;
	if (reason === invalidReason) return problem === undefined;
	if (reason === refusedReason) return pod !== undefined;
	return phase === 'Running';
}

/** Reasons are KubeVirt's. */
function readyCondition(phase: Phase, pod: Pod | undefined): Omit<Condition, 'lastTransitionTime'> {
	const type = 'Ready';
	if (hasEnded(phase)) return { type, status: 'False', reason: 'PodTerminating', message: 'the guest has ended' };
	if (pod === undefined) return { type, status: 'False', reason: 'PodNotExists', message: 'there is no virt-launcher pod yet' };
	if (phase === 'Running' && guestRuns(pod)) return { type, status: 'True', reason: '', message: '' };
	return { type, status: 'False', reason: 'GuestNotRunning', message: 'the virt-launcher pod does not report a running guest' };
}
