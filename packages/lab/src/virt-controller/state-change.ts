import type { VirtualMachineInstance } from '@tapestry/network';
import { hasEnded } from './phase.ts';

/**
 * One wish in a machine's `status.stateChangeRequests`. KubeVirt's `virtctl start`, `stop` and `restart` end there; a restart is a stop and a
 * start. Source: KubeVirt, v1.VirtualMachineStateChangeRequest.
 */
export interface StateChangeRequest {
	readonly action: 'Start' | 'Stop';
	/** Of the instance to stop; any, when it is missing. */
	readonly uid?: string;
}

/** The requests that are still to be met: those at the front go when what they ask for is so. */
export function openRequests(
	requests: readonly StateChangeRequest[],
	instance: VirtualMachineInstance | undefined,
): readonly StateChangeRequest[] {
	const open = requests.findIndex((request) => !isMet(request, instance));
	return open < 0 ? [] : requests.slice(open);
}

function isMet({ action, uid }: StateChangeRequest, instance: VirtualMachineInstance | undefined): boolean {
	if (action === 'Start')
		return instance !== undefined && instance.metadata.deletionTimestamp === undefined && !hasEnded(instance.status?.phase);
	return instance === undefined || (uid !== undefined && uid !== instance.metadata.uid);
}
