import { externalIds } from '../api/names.ts';
import { type DesiredValue, type Fragment, isRowName, nameKey, type Owner } from '../plan/model.ts';
import { markOf } from '../plan/ownership.ts';
import type { Tables } from '../plan/replica-index.ts';
import type { DatabaseMeta } from '../schema/meta.ts';
import type { Row, Value } from '../schema/wire.ts';

/**
 * Where a row comes from: `Kind/namespace/name` or `Kind/name` of the object, empty for a row that none ordered; and the place in its YAML where that is
 * known.
 */
export interface Origin {
	readonly object: string;
	readonly path: string | undefined;
}

/** A Northbound row; its references are ids of rows of the same snapshot. */
export interface SnapshotRow {
	readonly id: string;
	readonly columns: Row;
	/** `undefined` for rows that we did not make. */
	readonly origin: Origin | undefined;
}

/** Northbound rows by table, whether compiled or read from a database. It may lack what a question does not touch. */
export type Snapshot = Readonly<Record<string, readonly SnapshotRow[]>>;

/** The rows that objects compile to, without any database. */
export function snapshotOfFragments(fragments: ReadonlyMap<Owner, Fragment>): Snapshot {
	const tables: Record<string, { id: string; columns: Record<string, Value>; origin: Origin }[]> = {};
	const byId = new Map<string, Record<string, Value>>();
	const members: { readonly holder: string; readonly column: string; readonly id: string }[] = [];
	for (const [owner, { rows }] of fragments) {
		for (const row of rows) {
			const id = nameKey(row);
			const columns = Object.fromEntries(Object.entries(row.columns).map(([column, value]) => [column, plainValue(value)]));
			tables[row.table] ??= [];
			tables[row.table]?.push({ id, columns, origin: originOf(owner, row.columns.external_ids as Row | undefined) });
			byId.set(id, columns);
			for (const place of row.listedIn) members.push({ holder: nameKey(place), column: place.column, id });
		}
	}
	for (const { holder, column, id } of members) {
		const columns = byId.get(holder);
		if (!columns) continue;
		const list = columns[column];
		if (Array.isArray(list)) list.push(id);
		else columns[column] = [id];
	}
	return tables;
}

/** Rows as a replica or a select gives them. */
export function snapshotOfTables(schema: DatabaseMeta, tables: Tables): Snapshot {
	return Object.fromEntries(
		Object.entries(tables).map(([table, rows]) => [
			table,
			[...rows].map(([id, columns]) => {
				const meta = schema.tables[table];
				const mark = meta && markOf(meta, columns);
				return { id, columns, origin: mark && originOf(mark.owner, columns.external_ids as Row | undefined) };
			}),
		]),
	);
}

function originOf(owner: Owner, ids: Row | undefined): Origin {
	const by = ids?.[externalIds.by];
	const path = ids?.[externalIds.path];
	return { object: typeof by === 'string' ? by : owner, path: typeof path === 'string' ? path : undefined };
}

function plainValue(value: DesiredValue): Value {
	return isRowName(value) ? nameKey(value) : (value as Value);
}
