import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '@tapestry/base';
import type { GuestCommands } from './guest-commands.ts';
import { shellLine } from './shell.ts';

/** The client's one line on the launcher's exec socket. */
export interface ExecRequest {
	readonly argv: readonly string[];
}

/** The answer: lines with output in base64, then one with the status or what went wrong. */
export type ExecFrame = { readonly output: string } | { readonly status: number } | { readonly error: string };

/** Lets anyone who may open the socket run commands in the guest. A client that goes away interrupts its command. */
export function serveExec(commands: GuestCommands, path: string): Server {
	rmSync(path, { force: true });
	const server = createServer((socket) => {
		let request = '';
		socket.setEncoding('utf8');
		socket.on('error', () => socket.destroy());
		socket.on('data', (text: string) => {
			request += text;
			if (!request.endsWith('\n')) return;
			socket.removeAllListeners('data');
			void answer(commands, socket, request);
		});
	});
	return server.listen(path);
}

async function answer(commands: GuestCommands, socket: Socket, request: string): Promise<void> {
	const gone = new AbortController();
	// Reading on is what notices that the client goes away.
	socket.resume().once('close', () => gone.abort());
	const send = (frame: ExecFrame): void => {
		if (socket.writable) socket.write(`${JSON.stringify(frame)}\n`);
	};
	try {
		const { argv } = JSON.parse(request) as ExecRequest;
		const output = (chunk: Uint8Array): void => send({ output: Buffer.from(chunk).toString('base64') });
		send({ status: await commands.run(shellLine(argv), output, gone.signal) });
	} catch (error) {
		send({ error: messageOf(error) });
	}
	socket.end();
}
