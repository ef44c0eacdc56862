import { encodeRow, encodeValue, whereUuid } from '../schema/codec.ts';
import type { DatabaseMeta, TableMeta } from '../schema/meta.ts';
import type { Atom, Mutation, Operation, Ref, Row, Value } from '../schema/wire.ts';
import { type Change, type DesiredValue, type Holder, isRowName, nameKey, type Place, type RowName } from './model.ts';
import { markedColumns } from './ownership.ts';
import type { ReplicaIndex } from './replica-index.ts';

/** The changes as operations of one transaction, with one `mutate` per set however many members change. */
export function toOperations(schema: DatabaseMeta, index: ReplicaIndex, changes: readonly Change[]): readonly Operation[] {
	return changes.length === 0 ? [] : new OperationBuilder(schema, index, changes).build();
}

interface Members {
	readonly holder: Holder;
	readonly insert: Ref[];
	readonly delete: Ref[];
}

class OperationBuilder {
	readonly #schema: DatabaseMeta;
	readonly #index: ReplicaIndex;
	readonly #changes: readonly Change[];
	readonly #named = new Map<string, string>();
	readonly #members = new Map<string, Members>();
	/** Members of sets of rows that this transaction inserts, by row and column. */
	readonly #membersOfNew = new Map<string, Record<string, Ref[]>>();

	constructor(schema: DatabaseMeta, index: ReplicaIndex, changes: readonly Change[]) {
		this.#schema = schema;
		this.#index = index;
		this.#changes = changes;
		for (const change of changes) {
			if (change.kind === 'insert') this.#named.set(nameKey(change.row), `new${this.#named.size}`);
		}
	}

	build(): readonly Operation[] {
		for (const change of this.#changes) this.#gatherMembers(change);
		const deletes: Operation[] = [];
		const writes: Operation[] = [];
		for (const change of this.#changes) {
			if (change.kind === 'insert') writes.push(this.#insert(change));
			else if (change.kind === 'update') writes.push(...this.#update(change));
			else if (change.kind === 'delete' && this.#meta(change.name.table).isRoot) {
				deletes.push({ op: 'delete', table: change.name.table, where: whereUuid(change.uuid) });
			}
		}
		const mutates = [...this.#members.values()].map((members) => this.#mutate(members));
		return [...writes, ...mutates, ...deletes];
	}

	#gatherMembers(change: Change): void {
		switch (change.kind) {
			case 'insert':
				for (const place of change.row.listedIn) this.#addTo(place, { named: this.#named.get(nameKey(change.row)) ?? '' });
				break;
			case 'list':
				this.#addTo(change.place, { uuid: change.uuid });
				break;
			case 'unlist':
				this.#membersOf(change.holder).delete.push({ uuid: change.uuid });
				break;
			case 'delete':
				// Deleting a row does not take it out of the sets that refer to it strongly, and one that is not root goes only that way.
				for (const holder of change.holders) this.#membersOf(holder).delete.push({ uuid: change.uuid });
				break;
			case 'update':
				break;
		}
	}

	#addTo(place: Place, member: Ref): void {
		const uuid = this.#index.find(place);
		if (uuid !== undefined && !this.#named.has(nameKey(place))) {
			this.#membersOf({ table: place.table, uuid, column: place.column }).insert.push(member);
			return;
		}
		const name = nameKey(place);
		const columns = this.#membersOfNew.get(name) ?? {};
		this.#membersOfNew.set(name, columns);
		columns[place.column] ??= [];
		columns[place.column]?.push(member);
	}

	#membersOf(holder: Holder): Members {
		const key = `${holder.uuid}\n${holder.column}`;
		let members = this.#members.get(key);
		if (!members) {
			members = { holder, insert: [], delete: [] };
			this.#members.set(key, members);
		}
		return members;
	}

	#insert({ owner, row }: Extract<Change, { kind: 'insert' }>): Operation {
		const meta = this.#meta(row.table);
		const columns = mapValues(markedColumns(meta, owner, row), (value) => this.#resolve(value));
		const wire = encodeRow(meta, { ...columns, ...this.#membersOfNew.get(nameKey(row)) });
		return { op: 'insert', table: row.table, row: wire, 'uuid-name': this.#named.get(nameKey(row)) ?? '' };
	}

	#update({ owner, row, uuid, columns }: Extract<Change, { kind: 'update' }>): Operation[] {
		const meta = this.#meta(row.table);
		const current = this.#index.entry(uuid)?.row ?? {};
		const desired = markedColumns(meta, owner, row);
		const replaced: Record<string, Value> = {};
		const mutations: Mutation[] = [];
		for (const column of columns) {
			const value = this.#resolve(desired[column]);
			if (column === 'external_ids') mutations.push(...mapMutations(meta, column, current[column], value));
			else if (meta.columns[column]?.kind === 'set') mutations.push(...setMutations(meta, column, current[column], value));
			else replaced[column] = value;
		}
		const where = whereUuid(uuid);
		const operations: Operation[] = [];
		if (Object.keys(replaced).length > 0) operations.push({ op: 'update', table: row.table, where, row: encodeRow(meta, replaced) });
		if (mutations.length > 0) operations.push({ op: 'mutate', table: row.table, where, mutations });
		return operations;
	}

	#mutate({ holder, insert, delete: removed }: Members): Operation {
		const meta = this.#meta(holder.table);
		const mutations: Mutation[] = [];
		if (removed.length > 0) mutations.push(mutation(meta, holder.column, 'delete', removed));
		if (insert.length > 0) mutations.push(mutation(meta, holder.column, 'insert', insert));
		return { op: 'mutate', table: holder.table, where: whereUuid(holder.uuid), mutations };
	}

	#resolve(value: DesiredValue): Value {
		return isRowName(value) ? this.#reference(value) : (value as Value);
	}

	#reference(name: RowName): Ref {
		const named = this.#named.get(nameKey(name));
		return named === undefined ? { uuid: this.#index.find(name) ?? '' } : { named };
	}

	#meta(table: string): TableMeta {
		const meta = this.#schema.tables[table];
		if (!meta) throw new RangeError(`the schema has no table ${table}`);
		return meta;
	}
}

/** Only our keys change; a key that somebody else added stays. RFC 7047 section 5.1: inserting into a map keeps a key's old value, so it goes first. */
function mapMutations(meta: TableMeta, column: string, current: Value, desired: Value): Mutation[] {
	const before = (current ?? {}) as Readonly<Record<string, Atom>>;
	const changed = Object.entries((desired ?? {}) as Readonly<Record<string, Atom>>).filter(([key, value]) => before[key] !== value);
	const stale = changed.map(([key]) => key).filter((key) => before[key] !== undefined);
	const removal: Mutation[] = stale.length > 0 ? [[column, 'delete', ['set', stale]]] : [];
	return [...removal, mutation(meta, column, 'insert', Object.fromEntries(changed))];
}

/** Insertions first, so that a set which may not be empty never is. */
function setMutations(meta: TableMeta, column: string, current: Value, desired: Value): Mutation[] {
	const before = new Set((current ?? []) as readonly Atom[]);
	const after = new Set((desired ?? []) as readonly Atom[]);
	const added = [...after].filter((atom) => !before.has(atom));
	const removed = [...before].filter((atom) => !after.has(atom));
	return [
		...(added.length > 0 ? [mutation(meta, column, 'insert', added)] : []),
		...(removed.length > 0 ? [mutation(meta, column, 'delete', removed)] : []),
	];
}

function mutation(meta: TableMeta, column: string, mutator: 'insert' | 'delete', value: Value): Mutation {
	const columnMeta = meta.columns[column];
	if (!columnMeta) throw new RangeError(`table ${meta.name} has no column ${column}`);
	return [column, mutator, encodeValue(columnMeta, value)];
}

function mapValues(columns: Readonly<Record<string, DesiredValue>>, change: (value: DesiredValue) => Value): Row {
	return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, change(value)]));
}
