import type { Signal } from '@tapestry/base';
import type { Condition, Operation, OperationResult, Row, Uuid } from '@tapestry/network';

/**
 * One connection to an ovsdb-server that reconnects by itself with backoff until it is closed. Calls made while there is no connection wait for
 * one; after `close` they reject with OVSDB_CLOSED.
 */
export interface Session extends AsyncDisposable {
	/**
	 * Throws CodedError OVSDB_DISCONNECTED (sent, outcome unknown), OVSDB_TRANSACTION (details: error, details, operation index) or OVSDB_NOT_OWNER
	 * (a failed `assert`).
	 */
	transact(database: string, operations: readonly Operation[], options?: { readonly signal?: Signal }): Promise<readonly OperationResult[]>;
	/**
	 * Starts a replica, which every new connection resumes; resolves when its first content is complete. Throws OVSDB_SCHEMA (names the database,
	 * table or column that the server lacks) or OVSDB_UNSUPPORTED.
	 */
	monitor(database: string, tables: MonitorRequest, options?: { readonly signal?: Signal }): Promise<Replica>;
	/** Asks for an RFC 7047 section 4.1.8 lock; `onChange` is called with every gain and loss, also over reconnects. */
	lock(name: string, onChange: (held: boolean) => void): Lock;
	/** True while a connection is up on which every replica is current again and every lock asked for. */
	readonly connected: boolean;
	/** Called with every connect and disconnect; the returned function stops it. */
	onConnection(listener: (connected: boolean) => void): () => void;
	close(): Promise<void>;
}

export interface Lock {
	readonly held: boolean;
	release(): Promise<void>;
}

/** Table -> columns (all of the schema's when `undefined`), with the rows that meet any of the conditions in `where` (all when `undefined`). */
export type MonitorRequest = Readonly<Record<string, { readonly columns?: readonly string[]; readonly where?: readonly Condition[] }>>;

export interface RowChange {
	readonly table: string;
	readonly uuid: Uuid;
	readonly before: Row | undefined;
	readonly after: Row | undefined;
}

/** A live copy of some tables, kept by monitor_cond_since (ovsdb-server(7) section 4.1.15). */
export interface Replica {
	/** Rows by UUID. Rows are never mutated in place: a changed row is a new object. */
	table(name: string): ReadonlyMap<Uuid, Row>;
	/** Called once per update message, after all its changes are in place. `reset` is true when the content was read anew in full. */
	onChange(listener: (changes: readonly RowChange[], reset: boolean) => void): () => void;
	/** Resolves when all that the server had committed before the call is in the replica. */
	settled(options?: { readonly signal?: Signal }): Promise<void>;
	readonly lastTransactionId: string;
}
