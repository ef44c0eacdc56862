import { CodedError, type Signal } from '@tapestry/base';
import {
	type ColumnMeta,
	type DatabaseMeta,
	decodeRow,
	defaultValue,
	type Row,
	sameValue,
	type TableMeta,
	type Uuid,
	type Value,
	type WireRow,
} from '@tapestry/network';
import { applyDiff } from './diff.ts';
import type { MonitorRequest, Replica, RowChange } from './types.ts';

/** ovsdb-server(7) section 4.1.14 <table-updates2>. */
type TableUpdates = Readonly<Record<string, Readonly<Record<Uuid, RowUpdate>>>>;
type RowUpdate = { readonly initial: WireRow } | { readonly insert: WireRow } | { readonly modify: WireRow } | { readonly delete: unknown };

interface MonitoredTable {
	readonly meta: TableMeta;
	readonly columns: readonly string[];
	/** Values of the monitored columns that an insert does not mention. */
	readonly defaults: Row;
	readonly rows: Map<Uuid, Row>;
}

/** The id that no server knows: it asks for the full content. */
const unknownTransaction = '00000000-0000-0000-0000-000000000000';

export class MonitorReplica implements Replica {
	readonly database: string;
	readonly #request: MonitorRequest;
	readonly #barrier: (signal: Signal | undefined) => Promise<void>;
	readonly #listeners = new Set<(changes: readonly RowChange[], reset: boolean) => void>();
	readonly #loaded = Promise.withResolvers<void>();
	#isLoaded = false;
	#tables: ReadonlyMap<string, MonitoredTable> = new Map();
	#lastTransactionId = unknownTransaction;

	constructor(database: string, request: MonitorRequest, barrier: (signal: Signal | undefined) => Promise<void>) {
		this.database = database;
		this.#request = request;
		this.#barrier = barrier;
	}

	get lastTransactionId(): string {
		return this.#lastTransactionId;
	}

	/** Resolves with the first content. */
	get loaded(): Promise<void> {
		return this.#loaded.promise;
	}

	get isLoaded(): boolean {
		return this.#isLoaded;
	}

	table(name: string): ReadonlyMap<Uuid, Row> {
		const table = this.#tables.get(name);
		if (!table)
			throw new CodedError('OVSDB_SCHEMA', { what: `table ${name} is not in this replica`, fix: 'name it in the monitor request' });
		return table.rows;
	}

	onChange(listener: (changes: readonly RowChange[], reset: boolean) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	settled(options: { readonly signal?: Signal } = {}): Promise<void> {
		return this.#barrier(options.signal);
	}

	/** Fits the replica to the server's schema and returns the parameters of monitor_cond_since. Throws OVSDB_SCHEMA. */
	prepare(monitorId: string, meta: DatabaseMeta): readonly unknown[] {
		const tables = new Map<string, MonitoredTable>();
		for (const [name, wanted] of Object.entries(this.#request)) {
			const rows = this.#tables.get(name)?.rows ?? new Map<Uuid, Row>();
			tables.set(name, monitoredTable(meta, name, wanted.columns, rows));
		}
		if (!sameColumns(this.#tables, tables)) this.#lastTransactionId = unknownTransaction;
		this.#tables = tables;
		const requests = Object.entries(this.#request).map(([name, { where }]) => [
			name,
			[{ columns: tables.get(name)?.columns, ...(where ? { where } : {}) }],
		]);
		return [this.database, monitorId, Object.fromEntries(requests), this.#lastTransactionId];
	}

	/** Takes the answer to monitor_cond_since. */
	load(result: unknown): void {
		const [found, transactionId, updates] = result as readonly [boolean, string, TableUpdates];
		const changes = found ? this.#applied(updates) : this.#replaced(updates);
		this.#lastTransactionId = transactionId;
		this.#commit(changes, !found);
		this.#isLoaded = true;
		this.#loaded.resolve();
	}

	/** Takes an update3 notification. */
	update(transactionId: string, updates: unknown): void {
		const changes = this.#applied(updates as TableUpdates);
		this.#lastTransactionId = transactionId;
		this.#commit(changes, false);
	}

	/** The first content will not come. */
	fail(error: unknown): void {
		this.#loaded.reject(error);
	}

	#commit(changes: readonly RowChange[], reset: boolean): void {
		for (const { table, uuid, after } of changes) {
			const { rows } = this.#monitored(table);
			if (after) rows.set(uuid, after);
			else rows.delete(uuid);
		}
		if (changes.length === 0 && !reset) return;
		for (const listener of [...this.#listeners]) listener(changes, reset);
	}

	#applied(updates: TableUpdates): readonly RowChange[] {
		const changes: RowChange[] = [];
		for (const [name, rowUpdates] of Object.entries(updates)) {
			const table = this.#monitored(name);
			for (const [uuid, update] of Object.entries(rowUpdates)) {
				const before = table.rows.get(uuid);
				const after = this.#updated(table, uuid, before, update);
				changes.push({ table: name, uuid, before, after });
			}
		}
		return changes;
	}

	#updated(table: MonitoredTable, uuid: Uuid, before: Row | undefined, update: RowUpdate): Row | undefined {
		if ('delete' in update) return undefined;
		if ('modify' in update) {
			if (!before) throw this.#inconsistent(`row ${uuid} of table ${table.meta.name} changed, but was never there`);
			return modifiedRow(table, before, update.modify);
		}
		return newRow(table, uuid, 'insert' in update ? update.insert : update.initial);
	}

	/** The changes that lead to this content; rows that stayed the same keep their identity and are no change. */
	#replaced(updates: TableUpdates): readonly RowChange[] {
		const changes: RowChange[] = [];
		for (const name of Object.keys(updates)) this.#monitored(name);
		for (const [name, table] of this.#tables) {
			const content = updates[name] ?? {};
			for (const [uuid, before] of table.rows) {
				if (!Object.hasOwn(content, uuid)) changes.push({ table: name, uuid, before, after: undefined });
			}
			for (const [uuid, update] of Object.entries(content)) {
				const before = table.rows.get(uuid);
				const after = this.#updated(table, uuid, undefined, update);
				if (after && before && sameRow(table, before, after)) continue;
				changes.push({ table: name, uuid, before, after });
			}
		}
		return changes;
	}

	#monitored(name: string): MonitoredTable {
		const table = this.#tables.get(name);
		if (!table) throw this.#inconsistent(`table ${name} was never asked for`);
		return table;
	}

	/** The copy is worth nothing from here on: it is read anew on the next connection. */
	#inconsistent(why: string): CodedError {
		this.#lastTransactionId = unknownTransaction;
		return new CodedError('OVSDB_PROTOCOL', { what: 'the server sent an update that does not fit', why });
	}
}

function monitoredTable(meta: DatabaseMeta, name: string, wanted: readonly string[] | undefined, rows: Map<Uuid, Row>): MonitoredTable {
	const table = Object.hasOwn(meta.tables, name) ? meta.tables[name] : undefined;
	if (!table) throw missing(meta, `table ${name}`);
	const columns = wanted ?? Object.keys(table.columns);
	const defaults = columns.map((column): [string, Value] => [column, defaultValue(columnOf(meta, table, column))]);
	return { meta: table, columns, defaults: Object.fromEntries(defaults), rows };
}

function columnOf(meta: DatabaseMeta, table: TableMeta, column: string): ColumnMeta {
	const found = Object.hasOwn(table.columns, column) ? table.columns[column] : undefined;
	if (!found) throw missing(meta, `column ${column} in table ${table.name}`);
	return found;
}

function missing(meta: DatabaseMeta, what: string): CodedError {
	return new CodedError('OVSDB_SCHEMA', {
		what: `database ${meta.name} has no ${what}`,
		why: `its schema is version ${meta.version}`,
		fix: 'upgrade OVN or Open vSwitch and convert the database to the schema that comes with it',
	});
}

function sameColumns(before: ReadonlyMap<string, MonitoredTable>, after: ReadonlyMap<string, MonitoredTable>): boolean {
	return [...after].every(([name, table]) => before.get(name)?.columns.join() === table.columns.join());
}

function newRow(table: MonitoredTable, uuid: Uuid, wire: WireRow): Row {
	return Object.freeze({ _uuid: uuid, ...table.defaults, ...decodeRow(table.meta, wire) });
}

function modifiedRow(table: MonitoredTable, before: Row, diff: WireRow): Row {
	const row: Record<string, Value> = { ...before };
	for (const [name, wire] of Object.entries(diff)) {
		const column = table.meta.columns[name];
		if (column) row[name] = applyDiff(column, before[name], wire);
	}
	return Object.freeze(row);
}

function sameRow(table: MonitoredTable, a: Row, b: Row): boolean {
	return table.columns.every((name) => {
		const column = table.meta.columns[name];
		return column !== undefined && sameValue(column, a[name], b[name]);
	});
}
