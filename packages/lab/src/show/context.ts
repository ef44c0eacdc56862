import type { KubeClient } from '@tapestry/kube';
import type { IpLease, OvsInterface } from '@tapestry/network';
import type { RunningWorkload } from '../access/workloads.ts';
import type { LabLayout } from '../layout.ts';
import type { ProcessDeps } from '../process.ts';
import type { AgentPort } from './agent-word.ts';

/** What every hop is read with. */
export interface ShowContext {
	readonly deps: ProcessDeps;
	readonly layout: LabLayout;
	readonly client: KubeClient;
	readonly workload: RunningWorkload;
	/** Its name is that of the logical switch port. */
	readonly lease: IpLease;
	/** The row of Open vSwitch's port with the lease's name. @throws SHOW_UNPLUGGED */
	readonly plugged: () => Promise<OvsInterface>;
	/** What the node's agent says of its ports. @throws when it does not answer */
	readonly agentPorts: () => Promise<readonly AgentPort[]>;
	/** Ends with the user's patience. */
	readonly signal: AbortSignal;
}
