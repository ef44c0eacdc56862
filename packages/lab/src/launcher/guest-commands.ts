import type { Duplex } from 'node:stream';
import { CodedError, type Signal } from '@tapestry/base';

const interrupt = '\x03';
const greeting = 'READY\n';

interface Running {
	/** Marks this command's part of what the line carries, see guest/rootfs/sbin/commands. */
	readonly token: string;
	readonly output: (chunk: Uint8Array) => void;
	readonly result: PromiseWithResolvers<number>;
	begun: boolean;
}

/** The guest's second serial line, on which its `commands` program runs shell commands one after another. */
export class GuestCommands {
	readonly #stream: Duplex;
	readonly #waiting = new Set<PromiseWithResolvers<void>>();
	#state: 'booting' | 'ready' | 'stopped' = 'booting';
	#buffered: Buffer = Buffer.alloc(0);
	#running: Running | undefined;
	#last: Promise<unknown> = Promise.resolve();
	#tokens = 0;

	constructor(stream: Duplex) {
		this.#stream = stream;
		stream.on('data', (chunk: Buffer) => {
			this.#buffered = Buffer.concat([this.#buffered, chunk]);
			if (this.#running) this.#parse(this.#running);
			else this.#awaitGreeting();
		});
		stream.on('error', () => {});
		stream.once('close', () => this.#stop());
	}

	/** The guest starts over: what ran in it is gone, and it is not ready until it says so again. */
	reset(): void {
		this.#state = 'booting';
		this.#buffered = Buffer.alloc(0);
		this.#running?.result.reject(notEnded('the guest has restarted'));
	}

	/** Resolves when the guest is up. @throws GUEST_COMMAND when it stops before */
	async ready(): Promise<void> {
		if (this.#state === 'ready') return;
		if (this.#state === 'stopped') throw notEnded('the virtual machine has stopped');
		const ready = Promise.withResolvers<void>();
		this.#waiting.add(ready);
		await ready.promise.finally(() => this.#waiting.delete(ready));
	}

	/**
	 * Runs a shell command as soon as the guest is up and the commands before it have ended. An abort interrupts it as Ctrl-C does.
	 * @param command one line
	 * @param output receives standard output and standard error as they come
	 * @returns the command's status
	 * @throws GUEST_COMMAND when the guest ends first
	 */
	run(command: string, output: (chunk: Uint8Array) => void, signal: Signal): Promise<number> {
		const result = this.#last.then(() => this.#run(command, output, signal));
		this.#last = result.catch(() => {});
		return result;
	}

	async #run(command: string, output: (chunk: Uint8Array) => void, signal: Signal): Promise<number> {
		if (signal.aborted) throw signal.reason;
		const aborted = Promise.withResolvers<never>();
		aborted.promise.catch(() => {});
		const onAbort = (): void => {
			if (this.#running) this.#stream.write(interrupt);
			aborted.reject(signal.reason);
		};
		signal.addEventListener('abort', onAbort, { once: true });
		try {
			await Promise.race([this.ready(), aborted.promise]);
			const running = { token: `t${++this.#tokens}`, output, result: Promise.withResolvers<number>(), begun: false };
			this.#running = running;
			this.#stream.write(`${running.token} ${command}\n`);
			return await Promise.race([running.result.promise, aborted.promise]);
		} finally {
			this.#running = undefined;
			signal.removeEventListener('abort', onAbort);
		}
	}

	#awaitGreeting(): void {
		if (this.#buffered.includes(greeting)) {
			this.#state = 'ready';
			for (const { resolve } of this.#waiting) resolve();
		}
		// What else comes now is the rest of a command that its asker gave up.
		this.#buffered = this.#buffered.subarray(-greeting.length);
	}

	#parse(running: Running): void {
		running.begun ||= this.#skipPast(`${running.token} BEGIN\n`);
		if (!running.begun) return;
		const marker = `\n${running.token} RC=`;
		const end = this.#buffered.indexOf(marker);
		const newline = end < 0 ? -1 : this.#buffered.indexOf('\n', end + marker.length);
		if (newline >= 0) {
			const status = Number(this.#buffered.toString('latin1', end + marker.length, newline));
			this.#emit(running, end);
			running.result.resolve(status);
			return;
		}
		// The output may end with the beginning of the marker.
		const held = this.#buffered.lastIndexOf('\n');
		const mayBeMarker = held >= 0 && this.#buffered.length - held <= marker.length + '255'.length;
		this.#emit(running, mayBeMarker ? held : this.#buffered.length);
	}

	#skipPast(marker: string): boolean {
		const at = this.#buffered.indexOf(marker);
		this.#buffered = this.#buffered.subarray(at < 0 ? -marker.length : at + marker.length);
		return at >= 0;
	}

	#emit(running: Running, length: number): void {
		if (length > 0) running.output(this.#buffered.subarray(0, length));
		this.#buffered = this.#buffered.subarray(length);
	}

	#stop(): void {
		this.#state = 'stopped';
		const error = notEnded('the virtual machine has stopped');
		this.#running?.result.reject(error);
		for (const { reject } of this.#waiting) reject(error);
	}
}

function notEnded(why: string): CodedError {
	return new CodedError('GUEST_COMMAND', { what: 'the command in the guest did not end', why });
}
