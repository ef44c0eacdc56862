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

	/** Takes in the changes of one update and returns the rows that entered or left a set. */
	apply(deltas: readonly RowDelta[]): readonly Uuid[] {
		const lists: ChangedList[] = [];
		for (const { table, uuid, before, after } of deltas) {
			const meta = this.#schema.tables[table];
			if (!meta) continue;
			if (before) this.#leave(meta, uuid, before);
			if (after) this.#enter(meta, uuid, after);
			for (const { column, memberTable, isWeak } of listColumns(meta)) {
				const list = { holder: { table, uuid, column }, memberTable, isWeak, before: before?.[column], after: after?.[column] };
				if (list.before !== list.after) lists.push(list);
			}
		}
		return lists.flatMap((list) => this.#relist(list.holder, ...this.#membersOf(list, lists, deltas)));
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

	/**
	 * Which rows entered and left a set. A row of a table that is not root exists only in sets: when just one set of such rows changed, it is
	 * the one that the new rows are in and the removed ones were in. Thus one port more costs the same in a switch of ten thousand. Only
	 * strong references keep a row there: a set of weak ones, like the ports of a group, has members that came and went otherwise.
	 */
	#membersOf(
		list: ChangedList,
		lists: readonly ChangedList[],
		deltas: readonly RowDelta[],
	): [entered: readonly Uuid[], left: readonly Uuid[]] {
		const { memberTable, isWeak, before, after } = list;
		const isOnly = lists.every((other) => other === list || other.isWeak || other.memberTable !== memberTable);
		if (this.#schema.tables[memberTable]?.isRoot || isWeak || !isOnly) return [onlyInFirst(after, before), onlyInFirst(before, after)];
		const members = deltas.filter((delta) => delta.table === memberTable);
		const uuids = (some: readonly RowDelta[]) => some.map(({ uuid }) => uuid);
		return [uuids(members.filter((delta) => !delta.before)), uuids(members.filter((delta) => !delta.after))];
	}

	#relist(holder: Holder, entered: readonly Uuid[], left: readonly Uuid[]): readonly Uuid[] {
		for (const uuid of left) {
			const rest = this.#holders.get(uuid)?.filter((other) => other.uuid !== holder.uuid || other.column !== holder.column);
			if (rest?.length) this.#holders.set(uuid, rest);
			else this.#holders.delete(uuid);
		}
		for (const uuid of entered) {
			const known = this.#holders.get(uuid);
			if (known) known.push(holder);
			else this.#holders.set(uuid, [holder]);
		}
		return [...left, ...entered];
	}
}

interface ChangedList {
	readonly holder: Holder;
	readonly memberTable: string;
	readonly isWeak: boolean;
	readonly before: Value;
	readonly after: Value;
}

interface ListColumn {
	readonly column: string;
	readonly memberTable: string;
	readonly isWeak: boolean;
}

const listColumnsByTable = new WeakMap<TableMeta, readonly ListColumn[]>();

/** The columns that are sets of references, with the table that they refer to. */
function listColumns(meta: TableMeta): readonly ListColumn[] {
	let columns = listColumnsByTable.get(meta);
	if (!columns) {
		columns = Object.entries(meta.columns).flatMap(([column, { kind, key }]) =>
			kind === 'set' && key.refTable !== undefined ? [{ column, memberTable: key.refTable, isWeak: key.refType === 'weak' }] : [],
		);
		listColumnsByTable.set(meta, columns);
	}
	return columns;
}

/** One string for the values of a row in the columns of a unique index. */
export function uniqueKey(table: string, columns: readonly string[], row: Row): string {
	return `${table}\n${columns.map((column) => JSON.stringify(row[column] ?? null)).join('\n')}`;
}

/** The members of one version of a set that the other has not. */
function onlyInFirst(first: Value, second: Value): readonly Uuid[] {
	if (first === second) return [];
	const a = (first ?? []) as readonly Uuid[];
	const b = (second ?? []) as readonly Uuid[];
	if (a.length === 0 || b.length === 0) return a;
	const others = new Set(b);
	return a.filter((uuid) => !others.has(uuid));
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
