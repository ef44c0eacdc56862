import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MiniNode } from './mini-node.ts';

/** The agent as a process in a node's namespace. */
export interface AgentProgram {
	readonly process: ChildProcess;
	/** Where the plugin finds it. */
	readonly socket: string;
	/** The body of a page on its socket. */
	page(path: string): Promise<string>;
	/** Ends it without a chance to clean up. */
	kill(): Promise<void>;
}

const main = join(import.meta.dirname, '..', 'main.ts');

/** Resolves when it serves the plugin. @param ovsdb @default the node's Open vSwitch */
export async function startAgentProgram(
	node: MiniNode,
	api: { readonly kubeconfig: string; readonly unix: string },
	ovsdb = `unix:${join(node.dir, 'db.sock')}`,
): Promise<AgentProgram> {
	const socket = join(node.run, 'agent.sock');
	const args = [
		...[`--net=/run/netns/${node.name}`, process.execPath, '--disable-warning=ExperimentalWarning', main],
		...['--kubeconfig', api.kubeconfig, '--api-socket', api.unix, '--node', node.name, '--ovsdb', ovsdb],
		...['--socket', socket, '--state', join(node.run, 'state'), '--ready-fd', '3', '--log-level', 'error'],
	];
	const child = spawn('nsenter', args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
	const exited = once(child, 'exit');
	const ready = createInterface(child.stdio[3] as NodeJS.ReadableStream);
	await Promise.race([once(ready, 'line'), exited.then(() => Promise.reject(new Error('the agent ended before it was ready')))]);
	return {
		process: child,
		socket,
		page: (path) =>
			new Promise((resolve, reject) => {
				request({ socketPath: socket, path }, (response) => {
					const chunks: Buffer[] = [];
					response.on('data', (chunk: Buffer) => chunks.push(chunk));
					response.on('end', () => resolve(Buffer.concat(chunks).toString()));
				})
					.on('error', reject)
					.end();
			}),
		async kill() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}
