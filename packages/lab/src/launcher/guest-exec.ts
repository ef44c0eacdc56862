import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { CodedError } from '@tapestry/base';
import type { ExecFrame, ExecRequest } from './exec-server.ts';

export interface GuestExecOptions {
	/** Receives the command's standard output and standard error, mixed, as they come. */
	readonly output: (chunk: Uint8Array) => void;
	/** Interrupts the command, as Ctrl-C does. */
	readonly signal?: AbortSignal;
}

/**
 * Runs a program in a virtual machine of the lab and resolves with its status; waits for the guest to be up. Commands of several callers
 * run one after another. They get no input.
 * @param socket `vmFiles(podDirectory).execSocket`
 * @throws GUEST_EXEC when the machine does not run, or ends before the command
 */
export async function guestExec(socket: string, argv: readonly string[], options: GuestExecOptions): Promise<number> {
	const { output, signal } = options;
	signal?.throwIfAborted();
	const stream = connect(socket);
	const abort = (): void => void stream.destroy(signal?.reason as Error);
	signal?.addEventListener('abort', abort, { once: true });
	try {
		await once(stream, 'connect');
		stream.write(`${JSON.stringify({ argv } satisfies ExecRequest)}\n`);
		for await (const frame of framesOf(stream)) {
			if ('status' in frame) return frame.status;
			if ('error' in frame) throw failed(frame.error);
			output(Buffer.from(frame.output, 'base64'));
		}
		signal?.throwIfAborted();
		throw failed('the connection to the virtual machine broke');
	} catch (error) {
		if (signal?.aborted || error instanceof CodedError) throw error;
		throw failed(error instanceof Error ? error.message : String(error));
	} finally {
		signal?.removeEventListener('abort', abort);
		stream.destroy();
	}
}

async function* framesOf(stream: Socket): AsyncGenerator<ExecFrame> {
	let buffered = '';
	for await (const text of stream.setEncoding('utf8') as AsyncIterable<string>) {
		const lines = (buffered + text).split('\n');
		buffered = lines.pop() ?? '';
		for (const line of lines) yield JSON.parse(line) as ExecFrame;
	}
}

function failed(why: string): CodedError {
	return new CodedError('GUEST_EXEC', { what: 'the command could not be run in the guest', why });
}
