import type { Signal } from '@tapestry/base';
import type { PodRef, Workload } from '../port.ts';

/** Where the agent learns which lease a pod on its node has. */
export interface WorkloadSource {
	/**
	 * Resolves with the pod's workload as soon as its lease is there. Rejects with AGENT_NO_LEASE, naming what is known of the reason, when the
	 * signal is aborted first.
	 */
	workload(pod: PodRef, signal: Signal): Promise<Workload>;
	/** Whether the first content is in, so that an absent lease means something. */
	readonly ready: boolean;
}
