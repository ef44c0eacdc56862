import { agentPage } from '../access/agent-page.ts';
import type { RunningWorkload } from '../access/workloads.ts';
import type { LabLayout } from '../layout.ts';

/** An entry of the agent's page `/ports`; the members that are used here. */
export interface AgentPort {
	readonly port: { readonly name: string };
	/** How it is attached, and by which devices. */
	readonly mode: string;
	readonly path: readonly string[];
	readonly connected: boolean;
	readonly faults: readonly string[];
}

/** What the node's agent says of its ports. */
export async function agentPorts(layout: LabLayout, { node }: RunningWorkload, signal: AbortSignal): Promise<readonly AgentPort[]> {
	const page = await agentPage(layout, node, '/ports', signal);
	return JSON.parse(page) as readonly AgentPort[];
}

/** The NIC of the node on which a port is that passes Open vSwitch by; undefined for all others, which end in the switch. */
export function nicOfNode(port: AgentPort | undefined, bridge: string): string | undefined {
	const last = port?.mode === 'macvtap' ? port.path.at(-1) : undefined;
	return last === bridge ? undefined : last;
}

/** Of all ports of a node, the faults of one. */
export function portFaults(ports: readonly AgentPort[], name: string): readonly string[] {
	const own = ports.find(({ port }) => port.name === name);
	if (!own) return [`the agent knows no port ${name}`];
	return [...(own.connected ? [] : [`the agent says that ${name} is not connected`]), ...own.faults];
}
