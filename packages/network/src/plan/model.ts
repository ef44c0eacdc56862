import type { Uuid } from '../schema/wire.ts';

/** How the planner and other rows name a row of ours: `key` is unique among our rows of the table and never changes for one thing. */
export interface RowName {
	readonly table: string;
	readonly key: string;
}

/** A set column of a row of ours that lists references to other rows. */
export interface Place extends RowName {
	readonly column: string;
}

export type DesiredAtom = string | number | boolean | RowName;
/**
 * A column as a fragment wants it, in the shapes of `Value` (schema/wire.ts). A single reference is a `RowName`; sets of references are not
 * written here but by the rows that they list, in `listedIn`, because their members belong to different owners.
 */
export type DesiredValue = DesiredAtom | undefined | readonly (string | number | boolean)[] | Readonly<Record<string, string | number>>;

/** A row that its owner owes. Columns that it does not name are nobody's business: the planner never writes them. */
export interface DesiredRow extends RowName {
	readonly columns: Readonly<Record<string, DesiredValue>>;
	/** The sets that must hold this row. A row of a table that is not root (ovsdb(7)) needs at least one or would vanish. */
	readonly listedIn: readonly Place[];
}

/** All rows that one object owes. */
export interface Fragment {
	readonly rows: readonly DesiredRow[];
	/** Owners that no object stands for and that exist as long as a fragment needs them, such as the group of a combination of policies. */
	readonly needs?: readonly Owner[];
}

/** `Kind/key` of the object that a fragment was compiled from, for example `Subnet/ovn-default` or `Service/default/web`. */
export type Owner = string;

/** A row that an owner wants. */
export interface Claim {
	readonly owner: Owner;
	readonly row: DesiredRow;
}

/** One step from what the database holds to what the fragments want. */
export type Change =
	| { readonly kind: 'insert'; readonly owner: Owner; readonly row: DesiredRow }
	| {
			readonly kind: 'update';
			readonly owner: Owner;
			readonly row: DesiredRow;
			readonly uuid: Uuid;
			/** Names of the columns that differ. */
			readonly columns: readonly string[];
	  }
	/** The row is there but missing in a set that must list it. */
	| { readonly kind: 'list'; readonly owner: Owner; readonly name: RowName; readonly uuid: Uuid; readonly place: Place }
	/** A set of ours lists the row and should not. */
	| { readonly kind: 'unlist'; readonly owner: Owner; readonly name: RowName; readonly uuid: Uuid; readonly holder: Holder }
	| { readonly kind: 'delete'; readonly owner: Owner; readonly name: RowName; readonly uuid: Uuid; readonly holders: readonly Holder[] };

/** A set column of an existing row. */
export interface Holder {
	readonly table: string;
	readonly uuid: Uuid;
	readonly column: string;
}

/** A row that cannot be written yet. It is planned again when what it waits for changes. */
export type Obstacle =
	/** It refers to rows, or belongs in sets of rows, that do not exist. */
	| { readonly kind: 'missing'; readonly row: RowName; readonly names: readonly RowName[] }
	/** Another row, in the database (perhaps not ours) or in the same plan, holds values that must be unique in the table. */
	| { readonly kind: 'taken'; readonly row: RowName; readonly columns: readonly string[]; readonly by: Uuid | RowName };

/** One string for a row name, for use as a map key. */
export function nameKey(name: RowName): string {
	return `${name.table}\n${name.key}`;
}

export function isRowName(value: unknown): value is RowName {
	return typeof value === 'object' && value !== null && typeof (value as RowName).table === 'string' && 'key' in value;
}
