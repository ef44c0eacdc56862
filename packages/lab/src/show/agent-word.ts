import { agentPage } from '../access/agent-page.ts';
import type { ShowContext } from './context.ts';

/** An entry of the agent's page `/ports`; the members that are used here. */
export interface AgentPort {
	readonly port: { readonly name: string };
	readonly connected: boolean;
	readonly faults: readonly string[];
}

/** What the node's agent finds wrong with the port. */
export async function agentFaults({ layout, workload, lease, signal }: ShowContext): Promise<readonly string[]> {
	const page = await agentPage(layout, workload.node, '/ports', signal);
	return portFaults(JSON.parse(page) as readonly AgentPort[], lease.metadata.name);
}

/** Of all ports of a node, the faults of one. */
export function portFaults(ports: readonly AgentPort[], name: string): readonly string[] {
	const own = ports.find(({ port }) => port.name === name);
	if (!own) return [`the agent knows no port ${name}`];
	return [...(own.connected ? [] : [`the agent says that ${name} is not connected`]), ...own.faults];
}
