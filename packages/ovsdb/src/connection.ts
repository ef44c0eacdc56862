import { connect, type Socket } from 'node:net';
import { type Clock, CodedError, type Signal } from '@tapestry/base';
import { abortable } from './abort.ts';
import type { Endpoint } from './endpoint.ts';
import { Framer } from './framer.ts';

export interface ConnectionHandlers {
	onNotification(method: string, params: readonly unknown[]): void;
	/** Called once, before the pending calls fail. */
	onClose(error: Error): void;
}

export interface CallOptions {
	/** Sends RFC 7047's `cancel` when aborted. */
	readonly signal?: Signal | undefined;
	/** Runs in the order of arrival with notifications, unlike the promise; what it throws rejects the call. */
	readonly onResult?: (result: unknown) => void;
}

interface PendingCall {
	readonly resolve: (result: unknown) => void;
	readonly reject: (error: Error) => void;
	readonly onResult: ((result: unknown) => void) | undefined;
}

interface Message {
	readonly id?: unknown;
	readonly method?: string;
	readonly params?: readonly unknown[];
	readonly result?: unknown;
	readonly error?: unknown;
}

/** Connects a socket; fails with OVSDB_DISCONNECTED, also after `timeoutMs`. */
export function openSocket(clock: Clock, endpoint: Endpoint, timeoutMs: number, signal: Signal): Promise<Socket> {
	const socket = connect({ ...endpoint, noDelay: true });
	const opened = new Promise<Socket>((resolve, reject) => {
		const cancelTimeout = clock.after(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
		const onError = (cause: Error): void => {
			cancelTimeout();
			reject(new CodedError('OVSDB_DISCONNECTED', 'cannot connect to the database server', { cause }));
		};
		socket.once('error', onError);
		socket.once('connect', () => {
			cancelTimeout();
			socket.off('error', onError);
			resolve(socket);
		});
	});
	return abortable(opened, signal, () => socket.destroy(new Error('closed')));
}

/** JSON-RPC 1.0 over one connected socket (RFC 7047 section 4), ended by silence: `inactivityMs` until a probe, as long again for its answer. */
export class Connection {
	readonly #socket: Socket;
	readonly #clock: Clock;
	readonly #handlers: ConnectionHandlers;
	readonly #framer = new Framer();
	readonly #pending = new Map<number, PendingCall>();
	#nextId = 0;
	#heard: number;
	#probed = false;
	#cancelProbe: () => void = () => {};
	#closed: Error | undefined;

	constructor(
		deps: { readonly socket: Socket; readonly clock: Clock; readonly handlers: ConnectionHandlers },
		options: { readonly inactivityMs: number },
	) {
		this.#socket = deps.socket;
		this.#clock = deps.clock;
		this.#handlers = deps.handlers;
		this.#heard = deps.clock.monotonic();
		this.#socket.on('data', (chunk) => this.#receive(chunk));
		this.#socket.on('error', (error) => this.close(error));
		this.#socket.on('close', () => this.close(new Error('the server closed the connection')));
		this.#watchSilence(options.inactivityMs);
	}

	/** Rejects with OVSDB_REMOTE (the server's error reply) or OVSDB_DISCONNECTED. */
	call(method: string, params: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
		if (this.#closed) return Promise.reject(disconnected(this.#closed));
		if (options.signal?.aborted) return Promise.reject(options.signal.reason);
		const { promise, resolve, reject } = Promise.withResolvers<unknown>();
		const id = this.#nextId++;
		this.#pending.set(id, { resolve, reject, onResult: options.onResult });
		this.#send({ method, params, id });
		return abortable(promise, options.signal, () => this.#send({ method: 'cancel', params: [id], id: null }));
	}

	close(error: Error): void {
		if (this.#closed) return;
		this.#closed = error;
		this.#cancelProbe();
		this.#socket.destroy();
		this.#handlers.onClose(error);
		for (const call of this.#pending.values()) call.reject(disconnected(error));
		this.#pending.clear();
	}

	#send(message: object): void {
		if (!this.#closed) this.#socket.write(JSON.stringify(message));
	}

	#receive(chunk: Uint8Array): void {
		this.#heard = this.#clock.monotonic();
		this.#probed = false;
		for (const message of this.#parse(chunk)) {
			if (this.#closed) return;
			try {
				this.#take(message);
			} catch (error) {
				// Nobody gets what came behind it in the same chunk: who goes on all the same has to begin with all that there is.
				this.close(error as Error);
				throw error;
			}
		}
	}

	#take(message: Message): void {
		if (message.method === undefined) this.#settle(message);
		else if (message.method === 'echo') this.#send({ id: message.id, result: message.params, error: null });
		else this.#handlers.onNotification(message.method, message.params ?? []);
	}

	#parse(chunk: Uint8Array): readonly Message[] {
		try {
			return this.#framer.push(chunk).map((text) => JSON.parse(text) as Message);
		} catch (cause) {
			this.close(new CodedError('OVSDB_PROTOCOL', 'the server sent something that is not JSON-RPC', { cause }));
			return [];
		}
	}

	#settle(message: Message): void {
		const call = this.#pending.get(message.id as number);
		if (!call) {
			this.close(new CodedError('OVSDB_PROTOCOL', `the server answered call ${message.id}, which nobody made`));
			return;
		}
		this.#pending.delete(message.id as number);
		if (message.error !== null && message.error !== undefined) {
			call.reject(remoteError(message.error));
			return;
		}
		try {
			call.onResult?.(message.result);
			call.resolve(message.result);
		} catch (error) {
			call.reject(error as Error);
		}
	}

	#watchSilence(inactivityMs: number): void {
		const check = (): void => {
			const silence = this.#clock.monotonic() - this.#heard;
			if (silence < inactivityMs) {
				arm(inactivityMs - silence);
				return;
			}
			if (this.#probed) {
				this.close(new Error(`no answer to a probe for ${inactivityMs} ms`));
				return;
			}
			this.#probed = true;
			// Its answer counts as any message does; its failure is the connection's, which others report.
			this.call('echo', []).catch(() => {});
			arm(inactivityMs);
		};
		const arm = (ms: number): void => {
			this.#cancelProbe = this.#clock.after(ms, check);
		};
		arm(inactivityMs);
	}
}

function disconnected(cause: Error): CodedError {
	return new CodedError(
		'OVSDB_DISCONNECTED',
		{
			what: 'the connection to the database was lost before the answer came',
			why: 'the request may or may not have been carried out',
			fix: 'read the database after the reconnection, then decide',
		},
		{ cause },
	);
}

/** RFC 7047 section 3.1 <error> is an object; for an unknown method ovsdb-server sends a plain string. */
function remoteError(wire: unknown): CodedError {
	const { error, details } = typeof wire === 'object' && wire !== null ? (wire as { error?: unknown; details?: unknown }) : { error: wire };
	return new CodedError(
		'OVSDB_REMOTE',
		{ what: 'the database server refused a request', why: details === undefined ? String(error) : `${error}: ${details}` },
		{ details: { error, details } },
	);
}
