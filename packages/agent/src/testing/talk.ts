import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeProgram, runIn } from './mini-node.ts';

const program = nodeProgram(join(import.meta.dirname, 'talk-program.ts'));

/**
 * Holds one TCP conversation between two namespaces over real sockets, as wrong checksums let ping pass and TCP fail. Resolves with the address under
 * which the server saw the client.
 */
export async function talk(serverPath: string, clientPath: string, address: string): Promise<string> {
	const server = spawn('nsenter', [`--net=${serverPath}`, ...program, 'serve', address], { stdio: ['ignore', 'pipe', 'inherit'] });
	const lines = createInterface(server.stdout);
	try {
		await once(lines, 'line');
		const seen = once(lines, 'line') as Promise<[string]>;
		const { stdout, stderr } = runIn(clientPath, [...program, 'call', address]);
		if (stdout !== 'talked\n') throw new Error(`no conversation with ${address}: ${stderr}`);
		return (await seen)[0];
	} finally {
		server.kill('SIGKILL');
	}
}
