import { type BackoffOptions, type Clock, CodedError, createBackoff, isCoded, type Logger, type Signal, sleep } from '@tapestry/base';
import { type DatabaseMeta, databaseMeta, type Operation, type OperationResult, type SchemaDocument } from '@tapestry/network';
import { abortable } from './abort.ts';
import { Connection, openSocket } from './connection.ts';
import { parseEndpoint } from './endpoint.ts';
import { Gate } from './gate.ts';
import { LockRequest } from './lock.ts';
import { MonitorReplica } from './replica.ts';
import { checkResults, refusedTransaction } from './transaction.ts';
import type { Lock, MonitorRequest, Replica, Session } from './types.ts';

export interface SessionDeps {
	readonly clock: Clock;
	/** In [0, 1); spreads the reconnections of many clients. */
	readonly random: () => number;
	readonly log: Logger;
}

export interface SessionOptions {
	/** `unix:PATH`, `tcp:IPV4:PORT` or `tcp:[IPV6]:PORT`. */
	readonly endpoint: string;
	/** Silence after which the server is probed, and its time to answer (and to accept a connection). @default 30000 */
	readonly inactivityMs?: number;
	/** Between attempts to connect. @default 50 ms to 5 s */
	readonly backoff?: BackoffOptions;
}

/**
 * Starts a session; the connection comes up in the background. Throws OVSDB_ENDPOINT. Calls made while there is no connection wait for one, so
 * give them a signal where that must end.
 */
export function connect(deps: SessionDeps, options: SessionOptions): Session {
	return new OvsdbSession(deps, options);
}

class OvsdbSession implements Session {
	readonly #deps: SessionDeps;
	readonly #options: SessionOptions;
	readonly #inactivityMs: number;
	/** Open while a connection is up on which every replica is current again. */
	readonly #ready = new Gate<Connection>();
	readonly #closing = new AbortController();
	readonly #replicas = new Map<string, MonitorReplica>();
	readonly #locks = new Map<string, LockRequest>();
	readonly #listeners = new Set<(connected: boolean) => void>();
	readonly #finished: Promise<void>;
	#nextMonitor = 0;

	constructor(deps: SessionDeps, options: SessionOptions) {
		this.#deps = { ...deps, log: deps.log.child({ endpoint: options.endpoint }) };
		this.#options = options;
		this.#inactivityMs = options.inactivityMs ?? 30_000;
		parseEndpoint(options.endpoint);
		this.#finished = this.#run();
	}

	get connected(): boolean {
		return this.#ready.value !== undefined;
	}

	async transact(
		database: string,
		operations: readonly Operation[],
		options: { readonly signal?: Signal } = {},
	): Promise<readonly OperationResult[]> {
		const connection = await this.#ready.wait(options.signal);
		let reply: unknown;
		try {
			reply = await connection.call('transact', [database, ...operations], { signal: options.signal });
		} catch (error) {
			throw refusedTransaction(error);
		}
		return checkResults(operations, reply);
	}

	async monitor(database: string, tables: MonitorRequest, options: { readonly signal?: Signal } = {}): Promise<Replica> {
		const connection = await this.#ready.wait(options.signal);
		const id = `monitor-${this.#nextMonitor++}`;
		const replica = new MonitorReplica(database, tables, (signal) => this.#barrier(signal));
		this.#replicas.set(id, replica);
		// Cut off, it is made on the next connection.
		this.#startFirst(connection, id, replica).catch(() => {});
		await abortable(replica.loaded, options.signal, () => this.#forget(id));
		return replica;
	}

	lock(name: string, onChange: (held: boolean) => void): Lock {
		if (this.#locks.has(name)) throw new CodedError('OVSDB_LOCK', `this session already asks for the lock ${name}`);
		const lock = new LockRequest(name, onChange, () => this.#locks.delete(name));
		this.#locks.set(name, lock);
		if (this.#ready.value) lock.request(this.#ready.value);
		return lock;
	}

	onConnection(listener: (connected: boolean) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	async close(): Promise<void> {
		this.#closing.abort(new CodedError('OVSDB_CLOSED', 'the session is closed'));
		this.#ready.value?.close(this.#closing.signal.reason);
		await this.#finished;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	async #run(): Promise<void> {
		const { clock, random, log } = this.#deps;
		const { signal } = this.#closing;
		const backoff = createBackoff({ random }, { max: 5_000, ...this.#options.backoff });
		while (!signal.aborted) {
			try {
				await this.#serve(() => backoff.reset());
			} catch (error) {
				if (signal.aborted) break;
				log.warn('database connection lost', { error });
				await sleep(clock, backoff.next(), signal).catch(() => {});
			}
		}
		this.#ready.fail(signal.reason);
		for (const replica of this.#replicas.values()) replica.fail(signal.reason);
	}

	/** One connection, from its beginning to its end, which is always an error. */
	async #serve(onReady: () => void): Promise<void> {
		const { clock, log } = this.#deps;
		const { signal } = this.#closing;
		const socket = await openSocket(clock, parseEndpoint(this.#options.endpoint), this.#inactivityMs, signal);
		const ended = Promise.withResolvers<never>();
		const onClose = (error: Error): void => {
			this.#disconnected();
			ended.reject(error);
		};
		const onNotification = (method: string, params: readonly unknown[]): void => this.#notify(connection, method, params);
		const connection = new Connection({ socket, clock, handlers: { onNotification, onClose } }, { inactivityMs: this.#inactivityMs });
		const abort = (): void => connection.close(signal.reason);
		signal.addEventListener('abort', abort, { once: true });
		try {
			await Promise.race([this.#handshake(connection), ended.promise]);
			onReady();
			log.info('database connected');
			await ended.promise;
		} catch (error) {
			connection.close(error as Error);
			throw error;
		} finally {
			signal.removeEventListener('abort', abort);
		}
	}

	async #handshake(connection: Connection): Promise<void> {
		for (const [id, replica] of this.#replicas) {
			if (replica.isLoaded) await this.#start(connection, id, replica);
			else await this.#startFirst(connection, id, replica);
		}
		for (const lock of this.#locks.values()) lock.request(connection);
		this.#ready.open(connection);
		for (const listener of [...this.#listeners]) listener(true);
	}

	#disconnected(): void {
		if (!this.#ready.shut()) return;
		for (const lock of this.#locks.values()) lock.lost();
		for (const listener of [...this.#listeners]) listener(false);
	}

	/** A first start that the server or its schema refuses is the caller's error. @throws OVSDB_DISCONNECTED when it is cut off */
	async #startFirst(connection: Connection, id: string, replica: MonitorReplica): Promise<void> {
		try {
			await this.#start(connection, id, replica);
		} catch (error) {
			if (isCoded(error, 'OVSDB_DISCONNECTED')) throw error;
			this.#replicas.delete(id);
			replica.fail(error);
		}
	}

	async #start(connection: Connection, id: string, replica: MonitorReplica): Promise<void> {
		const params = replica.prepare(id, await this.#schema(connection, replica.database));
		try {
			await connection.call('monitor_cond_since', params, { onResult: (result) => replica.load(result) });
		} catch (cause) {
			if (!isCoded(cause, 'OVSDB_REMOTE') || cause.details.error !== 'unknown method') throw cause;
			throw new CodedError(
				'OVSDB_UNSUPPORTED',
				{ what: 'the database server has no monitor_cond_since', fix: 'use ovsdb-server of Open vSwitch 2.12 or newer' },
				{ cause },
			);
		}
	}

	async #schema(connection: Connection, database: string): Promise<DatabaseMeta> {
		try {
			return databaseMeta((await connection.call('get_schema', [database])) as SchemaDocument);
		} catch (cause) {
			if (!isCoded(cause, 'OVSDB_REMOTE')) throw cause;
			throw new CodedError('OVSDB_SCHEMA', `the server does not serve database ${database}`, { cause });
		}
	}

	#forget(id: string): void {
		this.#replicas.delete(id);
		// The server may not have the monitor yet; its updates are ignored either way.
		this.#ready.value?.call('monitor_cancel', [id]).catch(() => {});
	}

	#notify(connection: Connection, method: string, params: readonly unknown[]): void {
		switch (method) {
			case 'update3':
				this.#update(connection, params as readonly [string, string, unknown]);
				break;
			case 'locked':
			case 'stolen':
				this.#locks.get(params[0] as string)?.notify(method === 'locked');
				break;
		}
	}

	#update(connection: Connection, [id, transactionId, updates]: readonly [string, string, unknown]): void {
		try {
			this.#replicas.get(id)?.update(transactionId, updates);
		} catch (error) {
			if (!isCoded(error, 'OVSDB_PROTOCOL')) throw error;
			connection.close(error);
		}
	}

	/**
	 * ovsdb-server sends a session what it has committed before it reads that session's next request, so the answer to an echo proves that
	 * everything earlier has arrived. A new connection proves the same: it begins with the content of every replica.
	 */
	async #barrier(signal: Signal | undefined): Promise<void> {
		const connection = await this.#ready.wait(signal);
		try {
			await connection.call('echo', [], { signal });
		} catch (error) {
			if (!isCoded(error, 'OVSDB_DISCONNECTED')) throw error;
			await this.#ready.wait(signal);
		}
	}
}
