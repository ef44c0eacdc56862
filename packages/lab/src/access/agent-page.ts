import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { LabLayout } from '../layout.ts';
import { cniSocket } from '../up/node-programs.ts';

/** Reads a page of a node's agent, such as `/ports` or `/metrics`. */
export function agentPage(layout: LabLayout, node: string, path: string, signal: AbortSignal): Promise<string> {
	// The socket lies in the node's own /run, which /proc shows.
	const holder = readFileSync(join(layout.node(node).dir, 'holder.pid'), 'utf8');
	const socketPath = `/proc/${holder.trim()}/root${cniSocket}`;
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
