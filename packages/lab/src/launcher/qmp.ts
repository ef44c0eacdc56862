import type { Duplex } from 'node:stream';
import { CodedError } from '@tapestry/base';

interface Message {
	readonly QMP?: unknown;
	readonly event?: string;
	readonly id?: number;
	readonly return?: unknown;
	readonly error?: { readonly class: string; readonly desc: string };
}

/** A connection to QEMU's machine protocol (docs/interop/qmp-spec.txt), after its greeting. */
export class QmpConnection {
	readonly #stream: Duplex;
	readonly #onEvent: (event: string) => void;
	readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
	readonly #greeting = Promise.withResolvers<void>();
	readonly #closed = Promise.withResolvers<void>();
	#buffered = '';
	#id = 0;

	private constructor(stream: Duplex, onEvent: (event: string) => void) {
		this.#stream = stream;
		this.#onEvent = onEvent;
		stream.setEncoding('utf8');
		stream.on('data', (text: string) => this.#receive(text));
		stream.on('error', () => {});
		stream.once('close', () => this.#fail());
	}

	/** Resolves when QEMU takes commands. `onEvent` gets the names of its events, such as `RESET`. @throws QMP_CLOSED */
	static async open(stream: Duplex, onEvent: (event: string) => void): Promise<QmpConnection> {
		const connection = new QmpConnection(stream, onEvent);
		await connection.#greeting.promise;
		await connection.execute('qmp_capabilities');
		return connection;
	}

	/** Resolves when QEMU has ended. */
	get closed(): Promise<void> {
		return this.#closed.promise;
	}

	/** @throws QMP_ERROR when QEMU refuses the command, QMP_CLOSED when it ends before it has answered */
	execute(command: string): Promise<unknown> {
		const id = ++this.#id;
		const answer = Promise.withResolvers<unknown>();
		this.#pending.set(id, answer);
		this.#stream.write(`${JSON.stringify({ execute: command, id })}\n`);
		if (this.#stream.destroyed) this.#fail();
		return answer.promise;
	}

	#receive(text: string): void {
		const lines = (this.#buffered + text).split('\n');
		this.#buffered = lines.pop() ?? '';
		for (const line of lines) if (line.trim() !== '') this.#handle(JSON.parse(line) as Message);
	}

	#handle(message: Message): void {
		if (message.QMP !== undefined) this.#greeting.resolve();
		if (message.event !== undefined) this.#onEvent(message.event);
		if (message.id === undefined) return;
		const answer = this.#pending.get(message.id);
		this.#pending.delete(message.id);
		if (message.error) answer?.reject(new CodedError('QMP_ERROR', { what: 'QEMU refused a command', why: message.error.desc }));
		else answer?.resolve(message.return);
	}

	#fail(): void {
		const error = new CodedError('QMP_CLOSED', 'QEMU has closed its control connection');
		this.#greeting.reject(error);
		for (const answer of this.#pending.values()) answer.reject(error);
		this.#pending.clear();
		this.#closed.resolve();
	}
}
