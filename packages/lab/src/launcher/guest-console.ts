import { once } from 'node:events';
import { connect } from 'node:net';
import type { ReadStream } from 'node:tty';
import { CodedError, messageOf } from '@tapestry/base';

/** Ctrl-], as in `virtctl console` and telnet. */
const leave = 0x1d;

export interface ConsoleStreams {
	readonly input: NodeJS.ReadableStream;
	readonly output: NodeJS.WritableStream;
}

/**
 * Joins a terminal to a virtual machine's serial console until the user types Ctrl-], the input ends or the machine stops. One console
 * at a time: a second one waits for the first.
 * @param socket `vmFiles(podDirectory).consoleSocket`
 * @throws GUEST_CONSOLE when the machine does not run
 */
export async function guestConsole(socket: string, { input, output }: ConsoleStreams, signal?: AbortSignal): Promise<void> {
	const stream = connect(socket);
	try {
		await once(stream, 'connect', signal ? { signal } : {});
	} catch (cause) {
		if (signal?.aborted) throw cause;
		throw new CodedError('GUEST_CONSOLE', { what: 'there is no console', why: messageOf(cause) }, { cause });
	}
	const onData = (chunk: Buffer | string): void => {
		const bytes = Buffer.from(chunk);
		const end = bytes.indexOf(leave);
		stream.write(end < 0 ? bytes : bytes.subarray(0, end));
		if (end >= 0) stream.end();
	};
	const terminal = isTerminal(input) ? input : undefined;
	terminal?.setRawMode(true);
	input.on('data', onData);
	input.once('end', () => stream.end());
	stream.pipe(output, { end: false });
	try {
		await once(stream, 'close', signal ? { signal } : {});
	} finally {
		terminal?.setRawMode(false);
		input.off('data', onData);
		input.pause();
		stream.destroy();
	}
}

function isTerminal(stream: NodeJS.ReadableStream): stream is ReadStream {
	return 'isTTY' in stream && stream.isTTY === true;
}
