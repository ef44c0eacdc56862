import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type MiniNode, nodeProgram } from './mini-node.ts';

export interface AgentCore {
	/** By SIGKILL. */
	kill(): Promise<void>;
}

/** Starts the agent's core in a process of its own, which takes up what is in the node's journal. Resolves when it has. */
export async function startAgentCore(node: MiniNode): Promise<AgentCore> {
	const [program = '', ...args] = [...nodeProgram(join(import.meta.dirname, 'agent-core-program.ts')), node.name, node.dir, node.run];
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	const exited = once(child, 'exit');
	const early = exited.then(([status]) => Promise.reject(new Error(`the agent ended with ${status}`)));
	await Promise.race([once(child.stdout, 'data'), early]);
	early.catch(() => {});
	return {
		async kill() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}
