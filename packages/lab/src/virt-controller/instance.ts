import { type Condition, findCondition, type Pod, setCondition, timestamp } from '@tapestry/kube';
import { annotations, type VirtualMachineInstance } from '@tapestry/network';
import { launcherPod } from './launcher-pod.ts';
import { instanceFinalizer } from './new-instance.ts';
import { guestRuns, hasEnded, type InstanceStatus, type Phase, phaseOf } from './phase.ts';

export interface InstanceDecision {
	readonly status: InstanceStatus;
	/** The finalizers that the instance should have; absent when they are right. Nothing else may be done before they are. */
	readonly finalizers?: readonly string[];
	/** The launcher pod to make. */
	readonly create?: Pod;
	/** Launcher pods to delete. */
	readonly remove: readonly Pod[];
}

/** What an instance's object should say and which pods it should have. `pods` are all that it owns; `now` is milliseconds since the epoch. */
export function decideInstance(instance: VirtualMachineInstance, pods: readonly Pod[], now: number): InstanceDecision {
	const { deletionTimestamp, finalizers = [] } = instance.metadata;
	const held = finalizers.includes(instanceFinalizer);
	const status = statusOf(instance, pods[0], now);
	if (deletionTimestamp !== undefined) {
		const rest = finalizers.filter((name) => name !== instanceFinalizer);
		const remove = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
		return { status, remove, ...(held && pods.length === 0 ? { finalizers: rest } : {}) };
	}
	if (!held && !hasEnded(status.phase)) return { status, remove: [], finalizers: [...finalizers, instanceFinalizer] };
	const create = pods.length === 0 && !hasEnded(status.phase);
	return { status, remove: [], ...(create ? { create: launcherPod(instance) } : {}) };
}

/** An instance whose launcher pod the API server refused. */
export function refusedStatus(instance: VirtualMachineInstance, message: string, now: number): InstanceStatus {
	const condition = { type: 'Synchronized', status: 'False', reason: 'FailedCreate', message } as const;
	return { ...instance.status, conditions: setCondition(instance.status?.conditions, condition, now) };
}

function statusOf(instance: VirtualMachineInstance, pod: Pod | undefined, now: number): InstanceStatus {
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
		conditions: conditionsOf(before.conditions ?? [], phase, pod, now),
		phaseTransitionTimestamps: changed ? [...transitions, { phase, phaseTransitionTimestamp: timestamp(now) }] : transitions,
	};
}

function podFacts(instance: VirtualMachineInstance, pod: Pod): Partial<InstanceStatus> {
	const node = pod.spec?.nodeName;
	const addresses = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
	return {
		activePods: { ...(pod.metadata.uid === undefined ? {} : { [pod.metadata.uid]: node ?? '' }) },
		...(node === undefined ? {} : { nodeName: node }),
		// The addresses of the machine are those of its pod: the port is one and the same.
		...(addresses.length === 0 ? {} : { interfaces: [interfaceOf(instance, pod, addresses)] }),
	};
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

function conditionsOf(before: readonly Condition[], phase: Phase, pod: Pod | undefined, now: number): readonly Condition[] {
	const scheduled = findCondition(pod?.status?.conditions, 'PodScheduled');
	const outdated = [...(pod === undefined ? [] : ['Synchronized']), ...(scheduled?.status === 'False' ? [] : ['PodScheduled'])];
	const kept = before.filter(({ type }) => !outdated.includes(type));
	const conditions = setCondition(kept, readyCondition(phase, pod), now);
	if (scheduled?.status !== 'False') return conditions;
	const { type, status, reason = '', message = '' } = scheduled;
	return setCondition(conditions, { type, status, reason, message }, now);
}

/** Reasons are KubeVirt's. */
function readyCondition(phase: Phase, pod: Pod | undefined): Omit<Condition, 'lastTransitionTime'> {
	const type = 'Ready';
	if (hasEnded(phase)) return { type, status: 'False', reason: 'PodTerminating', message: 'the guest has ended' };
	if (pod === undefined) return { type, status: 'False', reason: 'PodNotExists', message: 'there is no virt-launcher pod yet' };
	if (phase === 'Running' && guestRuns(pod)) return { type, status: 'True', reason: '', message: '' };
	return { type, status: 'False', reason: 'GuestNotRunning', message: 'the virt-launcher pod does not report a running guest' };
}
