import type { DatabaseMeta, TableMeta } from '../schema/meta.ts';
import type { Row, Uuid, Value } from '../schema/wire.ts';
import { type Holder, nameKey, type Owner, type RowName } from './model.ts';
import { type Mark, markOf } from './ownership.ts';

/** A row that came, changed or went. The replica of @tapestry/ovsdb gives these. */
export interface RowDelta {
	readonly table: string;
	readonly uuid: Uuid;
	readonly before: Row | undefined;
	readonly after: Row | undefined;
}

/** All rows of a database, by table. */
export type Tables = Readonly<Record<string, ReadonlyMap<Uuid, Row>>>;

interface Entry {
	readonly table: string;
	readonly row: Row;
	readonly mark: Mark | undefined;
}

/**
 * The rows of a replica by the questions a planner asks, each answered without a scan: the row with our key, all rows of an owner, the sets
 * that list a row, the row that holds a unique value.
 */
export class ReplicaIndex {
	readonly #schema: DatabaseMeta;
	readonly #entries = new Map<Uuid, Entry>();
	readonly #named = new Map<string, Uuid>();
	readonly #owned = new Map<Owner, Set<Uuid>>();
	readonly #holders = new Map<Uuid, Holder[]>();
	readonly #unique = new Map<string, Uuid>();

	constructor(schema: DatabaseMeta) {
		this.#schema = schema;
	}

	/** Takes in one change and returns the rows that entered or left a set of the changed row. */
	apply(delta: RowDelta): readonly Uuid[] {
		const meta = this.#schema.tables[delta.table];
		if (!meta) return [];
		const { uuid, before, after } = delta;
		if (before) this.#leave(meta, uuid, before);
		if (after) this.#enter(meta, uuid, after);
		return listColumns(meta).flatMap((column) => this.#relist({ table: meta.name, uuid, column }, before?.[column], after?.[column]));
	}

	/** The row with this name; when copies of it exist, the first that was seen. */
	find(name: RowName): Uuid | undefined {
		return this.#named.get(nameKey(name));
	}

	entry(uuid: Uuid): Entry | undefined {
		return this.#entries.get(uuid);
	}

	rowsOf(owner: Owner): Iterable<Uuid> {
		return this.#owned.get(owner) ?? [];
	}

	owners(): Iterable<Owner> {
		return this.#owned.keys();
	}

	/** The set columns, of anybody's rows, that list the row. */
	holdersOf(uuid: Uuid): readonly Holder[] {
		return this.#holders.get(uuid) ?? [];
	}

	/** The row that has these values in the columns of a unique index. */
	holderOfValues(table: string, columns: readonly string[], values: Row): Uuid | undefined {
		return this.#unique.get(uniqueKey(table, columns, values));
	}

	#enter(meta: TableMeta, uuid: Uuid, row: Row): void {
		const mark = markOf(meta, row);
		this.#entries.set(uuid, { table: meta.name, row, mark });
		if (mark) {
			const name = nameKey({ table: meta.name, key: mark.key });
			if (!this.#named.has(name)) this.#named.set(name, uuid);
			setOf(this.#owned, mark.owner).add(uuid);
		}
		for (const columns of meta.indexes) this.#unique.set(uniqueKey(meta.name, columns, row), uuid);
	}

	#leave(meta: TableMeta, uuid: Uuid, row: Row): void {
		this.#entries.delete(uuid);
		const mark = markOf(meta, row);
		if (mark) {
			const name = nameKey({ table: meta.name, key: mark.key });
			if (this.#named.get(name) === uuid) this.#named.delete(name);
			removeFrom(this.#owned, mark.owner, uuid);
		}
		for (const columns of meta.indexes) {
			const key = uniqueKey(meta.name, columns, row);
			if (this.#unique.get(key) === uuid) this.#unique.delete(key);
		}
	}

	#relist(holder: Holder, before: Value, after: Value): readonly Uuid[] {
		const left = onlyInFirst(before, after);
		for (const uuid of left) {
			const rest = this.#holders.get(uuid)?.filter((other) => other.uuid !== holder.uuid || other.column !== holder.column);
			if (rest?.length) this.#holders.set(uuid, rest);
			else this.#holders.delete(uuid);
		}
		const entered = onlyInFirst(after, before);
		for (const uuid of entered) {
			const known = this.#holders.get(uuid);
			if (known) known.push(holder);
			else this.#holders.set(uuid, [holder]);
		}
		return [...left, ...entered];
	}
}

const listColumnsByTable = new WeakMap<TableMeta, readonly string[]>();

/** The columns that are sets of references. */
export function listColumns(meta: TableMeta): readonly string[] {
	let columns = listColumnsByTable.get(meta);
	if (!columns) {
		columns = Object.keys(meta.columns).filter(
			(name) => meta.columns[name]?.kind === 'set' && meta.columns[name]?.key.refTable !== undefined,
		);
		listColumnsByTable.set(meta, columns);
	}
	return columns;
}

/** One string for the values of a row in the columns of a unique index. */
export function uniqueKey(table: string, columns: readonly string[], row: Row): string {
	return `${table}\n${columns.map((column) => JSON.stringify(row[column] ?? null)).join('\n')}`;
}

/**
 * The members of one version of a set that the other has not. The two versions of a switch's ports mostly differ by a few members among
 * thousands, so equal ends are skipped before any set is built.
 */
function onlyInFirst(first: Value, second: Value): readonly Uuid[] {
	if (first === second) return [];
	const a = (first ?? []) as readonly Uuid[];
	const b = (second ?? []) as readonly Uuid[];
	if (a.length === 0 || b.length === 0) return a;
	let start = 0;
	while (start < a.length && start < b.length && a[start] === b[start]) start++;
	let end = 0;
	while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
	if (start + end === a.length) return [];
	const others = new Set(b.slice(start, b.length - end));
	return a.slice(start, a.length - end).filter((uuid) => !others.has(uuid));
}

function setOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
	let set = map.get(key);
	if (!set) {
		set = new Set();
		map.set(key, set);
	}
	return set;
}

function removeFrom<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
	const set = map.get(key);
	set?.delete(value);
	if (set?.size === 0) map.delete(key);
}
