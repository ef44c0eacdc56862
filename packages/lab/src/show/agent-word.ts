import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { cniSocket } from '../up/node-programs.ts';
import type { ShowContext } from './context.ts';

/** An entry of the agent's page `/ports`; the members that are used here. */
export interface AgentPort {
	readonly port: { readonly name: string };
	readonly connected: boolean;
	readonly faults: readonly string[];
}

/** What the node's agent finds wrong with the port. */
export async function agentFaults({ layout, workload, lease, signal }: ShowContext): Promise<readonly string[]> {
	// The socket lies in the node's own /run, which /proc shows.
	const holder = readFileSync(join(layout.node(workload.node).dir, 'holder.pid'), 'utf8');
	const page = await getPage(`/proc/${holder.trim()}/root${cniSocket}`, '/ports', signal);
	return portFaults(JSON.parse(page) as readonly AgentPort[], lease.metadata.name);
}

/** Of all ports of a node, the faults of one. */
export function portFaults(ports: readonly AgentPort[], name: string): readonly string[] {
	const own = ports.find(({ port }) => port.name === name);
	if (!own) return [`the agent knows no port ${name}`];
	return [...(own.connected ? [] : [`the agent says that ${name} is not connected`]), ...own.faults];
}

function getPage(socketPath: string, path: string, signal: AbortSignal): Promise<string> {
	return new Promise((resolve, reject) => {
		const asked = request({ socketPath, path, signal }, (response) => {
			let text = '';
			response.setEncoding('utf8');
			response.on('data', (chunk: string) => {
				text += chunk;
			});
			response.on('end', () => resolve(text));
			response.on('error', reject);
		});
		asked.on('error', reject);
		asked.end();
	});
}
