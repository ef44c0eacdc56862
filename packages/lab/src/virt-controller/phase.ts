import type { Pod } from '@tapestry/kube';
import type { VirtualMachineInstanceStatus } from '@tapestry/network';

export type Phase = NonNullable<VirtualMachineInstanceStatus['phase']>;

/** With KubeVirt's record of when each phase began. */
export type InstanceStatus = VirtualMachineInstanceStatus & {
	readonly phaseTransitionTimestamps?: readonly { readonly phase: Phase; readonly phaseTransitionTimestamp: string }[];
};

const order: readonly Phase[] = ['', 'Pending', 'Scheduling', 'Scheduled', 'Running'];

export function hasEnded(phase: Phase | undefined): boolean {
	return phase === 'Succeeded' || phase === 'Failed';
}

/** True when the launcher reports that the VMM runs the guest. */
export function guestRuns(pod: Pod): boolean {
	return pod.status?.phase === 'Running' && (pod.status.containerStatuses ?? []).some(({ name, ready }) => name === 'compute' && ready);
}

/** The phase of an instance by its launcher pod; a phase is never taken back. Source: KubeVirt, VirtualMachineInstancePhase. */
export function phaseOf(before: Phase, pod: Pod): Phase {
	if (hasEnded(before)) return before;
	const { phase } = pod.status ?? {};
	if (phase === 'Succeeded' || phase === 'Failed') return phase;
	const seen: Phase = guestRuns(pod) ? 'Running' : phase === 'Running' ? 'Scheduled' : 'Scheduling';
	return order.indexOf(seen) > order.indexOf(before) ? seen : before;
}
