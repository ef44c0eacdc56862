import { decodeRow, decodeValue, defaultValue } from '../../schema/codec.ts';
import type { DatabaseMeta, TableMeta } from '../../schema/meta.ts';
import type { Atom, Condition, Mutation, Operation, Row, Uuid, Value, WireRow, WireValue } from '../../schema/wire.ts';
import type { RowDelta, Tables } from '../replica-index.ts';

type Rows = Map<Uuid, Row>;

/**
 * The part of ovsdb-server that a planner's transactions exercise: named UUIDs, update, mutate, delete, unique indexes, and what RFC 7047
 * section 3.2 says about references (dangling strong ones refused, weak ones purged, unreferenced rows of tables that are not root removed).
 */
export class MemoryDatabase {
	readonly #schema: DatabaseMeta;
	#tables: Map<string, Rows>;
	#serial = 0;

	constructor(schema: DatabaseMeta) {
		this.#schema = schema;
		this.#tables = new Map(Object.keys(schema.tables).map((table) => [table, new Map()]));
	}

	get tables(): Tables {
		return Object.fromEntries(this.#tables);
	}

	/** Commits all operations or throws and changes nothing. */
	transact(operations: readonly Operation[]): readonly RowDelta[] {
		const before = this.#tables;
		this.#tables = new Map([...before].map(([table, rows]) => [table, new Map(rows)]));
		try {
			const named = new Map<string, Uuid>();
			for (const operation of operations) if (operation.op === 'insert') named.set(operation['uuid-name'] ?? '', this.#newUuid());
			for (const operation of operations) this.#execute(operation, named);
			this.#collect();
			this.#check();
		} catch (error) {
			this.#tables = before;
			throw error;
		}
		return [...this.#tables].flatMap(([table, rows]) => deltas(table, before.get(table) ?? new Map(), rows));
	}

	#newUuid(): Uuid {
		return `00000000-0000-4000-8000-${String(++this.#serial).padStart(12, '0')}`;
	}

	#execute(operation: Operation, named: ReadonlyMap<string, Uuid>): void {
		if (operation.op === 'comment' || operation.op === 'assert') return;
		if (!('table' in operation)) throw new Error(`the model does not know ${operation.op}`);
		const meta = this.#meta(operation.table);
		const rows = this.#rows(operation.table);
		switch (operation.op) {
			case 'insert': {
				const uuid = named.get(operation['uuid-name'] ?? '') ?? '';
				const defaults = Object.entries(meta.columns).map(([name, column]) => [name, defaultValue(column)]);
				rows.set(uuid, { ...Object.fromEntries(defaults), ...decodeRow(meta, resolveRow(operation.row, named)), _uuid: uuid });
				return;
			}
			case 'update':
				for (const uuid of matching(rows, operation.where)) {
					rows.set(uuid, { ...rows.get(uuid), ...decodeRow(meta, resolveRow(operation.row, named)) });
				}
				return;
			case 'mutate':
				for (const uuid of matching(rows, operation.where)) {
					let row = rows.get(uuid) ?? {};
					for (const mutation of operation.mutations) row = mutate(meta, row, mutation, named);
					rows.set(uuid, row);
				}
				return;
			case 'delete':
				for (const uuid of matching(rows, operation.where)) rows.delete(uuid);
				return;
			default:
				throw new Error(`the model does not know ${operation.op}`);
		}
	}

	#collect(): void {
		for (;;) {
			const referenced = new Set([...this.#references('strong')].map(({ to }) => to));
			let removed = false;
			for (const [table, rows] of this.#tables) {
				if (this.#meta(table).isRoot) continue;
				for (const uuid of rows.keys()) if (!referenced.has(uuid)) removed = rows.delete(uuid) || removed;
			}
			if (!removed) break;
		}
		for (const { table, uuid, column, to, toTable } of [...this.#references('weak')]) {
			if (this.#rows(toTable).has(to)) continue;
			const row = this.#rows(table).get(uuid) ?? {};
			const value = row[column];
			this.#rows(table).set(uuid, { ...row, [column]: Array.isArray(value) ? value.filter((one) => one !== to) : undefined });
		}
	}

	#check(): void {
		for (const { table, column, to, toTable } of this.#references('strong')) {
			if (!this.#rows(toTable).has(to)) throw new Error(`referential integrity violation: ${table}.${column} refers to ${to}`);
		}
		for (const [table, rows] of this.#tables) {
			for (const columns of this.#meta(table).indexes) {
				const keys = [...rows.values()].map((row) => JSON.stringify(columns.map((column) => row[column])));
				const twice = keys.find((key, at) => keys.indexOf(key) !== at);
				if (twice) throw new Error(`constraint violation: two rows of ${table} have ${columns} ${twice}`);
			}
		}
	}

	*#references(type: 'strong' | 'weak') {
		for (const [table, rows] of this.#tables) {
			for (const [column, { key }] of Object.entries(this.#meta(table).columns)) {
				if (key.refTable === undefined || key.refType !== type) continue;
				for (const [uuid, row] of rows) {
					for (const to of atoms(row[column])) yield { table, uuid, column, to: String(to), toTable: key.refTable };
				}
			}
		}
	}

	#meta(table: string): TableMeta {
		const meta = this.#schema.tables[table];
		if (!meta) throw new Error(`no table ${table}`);
		return meta;
	}

	#rows(table: string): Rows {
		return this.#tables.get(table) ?? new Map();
	}
}

function matching(rows: Rows, where: readonly Condition[]): Uuid[] {
	const [condition] = where;
	if (where.length !== 1 || condition?.[0] !== '_uuid' || condition[1] !== '==')
		throw new Error('the model knows conditions on _uuid only');
	const uuid = String((condition[2] as readonly unknown[])[1]);
	return rows.has(uuid) ? [uuid] : [];
}

function mutate(meta: TableMeta, row: Row, [column, mutator, wire]: Mutation, named: ReadonlyMap<string, Uuid>): Row {
	const columnMeta = meta.columns[column];
	if (!columnMeta) throw new Error(`no column ${column}`);
	if (columnMeta.kind === 'map') {
		const map = { ...(row[column] as Readonly<Record<string, Atom>>) };
		if (mutator === 'insert') {
			const added = decodeValue(columnMeta, wire) as Readonly<Record<string, Atom>>;
			return { ...row, [column]: { ...added, ...map } };
		}
		for (const key of (wire as readonly ['set', readonly string[]])[1]) delete map[key];
		return { ...row, [column]: map };
	}
	const members = atoms(decodeValue(columnMeta, resolve(wire, named)));
	const current = atoms(row[column]);
	const next = mutator === 'insert' ? [...new Set([...current, ...members])] : current.filter((atom) => !members.includes(atom));
	if (columnMeta.nonEmpty && next.length === 0) throw new Error(`constraint violation: ${column} is empty`);
	return { ...row, [column]: next };
}

function resolveRow(row: WireRow, named: ReadonlyMap<string, Uuid>): WireRow {
	return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, resolve(value, named)]));
}

function resolve(value: WireValue, named: ReadonlyMap<string, Uuid>): WireValue {
	if (!Array.isArray(value)) return value;
	if (value[0] === 'named-uuid') return ['uuid', named.get(value[1] as string) ?? fail(`unknown name ${value[1]}`)];
	if (value[0] === 'set') return ['set', (value[1] as WireValue[]).map((one) => resolve(one, named)) as never];
	return value as WireValue;
}

function atoms(value: Value): readonly Atom[] {
	if (value === undefined) return [];
	return Array.isArray(value) ? (value as readonly Atom[]) : [value as Atom];
}

function deltas(table: string, before: Rows, after: Rows): RowDelta[] {
	const uuids = new Set([...before.keys(), ...after.keys()]);
	return [...uuids]
		.map((uuid) => ({ table, uuid, before: before.get(uuid), after: after.get(uuid) }))
		.filter((delta) => delta.before !== delta.after);
}

function fail(message: string): never {
	throw new Error(message);
}
