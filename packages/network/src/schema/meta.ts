import type { Atom } from './wire.ts';

/** RFC 7047 section 3.2 <atomic-type>. */
export type AtomicType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** RFC 7047 section 3.2 <base-type>, without the numeric and length constraints, which the server checks. */
export interface BaseMeta {
	readonly type: AtomicType;
	readonly refTable?: string;
	/** There exactly when `refTable` is. A strong reference keeps its row alive; a weak one vanishes with its row. */
	readonly refType?: 'strong' | 'weak';
	readonly values?: readonly Atom[];
}

export interface ColumnMeta {
	/** How code sees the column: `optional` is a set of at most one element, `set` one of possibly more. */
	readonly kind: 'scalar' | 'optional' | 'set' | 'map';
	readonly key: BaseMeta;
	/** There exactly when `kind` is `map`. */
	readonly value?: BaseMeta;
	/** True for sets and maps that hold at least one element. */
	readonly nonEmpty?: boolean;
	/** False for columns that can be set by the insert only. */
	readonly mutable: boolean;
}

export interface TableMeta {
	readonly name: string;
	readonly columns: Readonly<Record<string, ColumnMeta>>;
	/** Rows of a table that is not root vanish when no strong reference leads to them. */
	readonly isRoot: boolean;
	/** Column sets whose values are unique in the table. */
	readonly indexes: readonly (readonly string[])[];
}

export interface DatabaseMeta<Table extends string = string> {
	readonly name: string;
	readonly version: string;
	readonly tables: Readonly<Record<Table, TableMeta>>;
}

/** RFC 7047 section 3.2 <database-schema>: the answer to get_schema and the content of an .ovsschema file. */
export interface SchemaDocument {
	readonly name: string;
	readonly version: string;
	readonly tables: Readonly<Record<string, SchemaTable>>;
}
interface SchemaTable {
	readonly columns: Readonly<Record<string, { readonly type: SchemaType; readonly mutable?: boolean }>>;
	readonly isRoot?: boolean;
	readonly indexes?: readonly (readonly string[])[];
}
type SchemaType =
	| AtomicType
	| { readonly key: SchemaBase; readonly value?: SchemaBase; readonly min?: number; readonly max?: number | 'unlimited' };
type SchemaBase =
	| AtomicType
	| {
			readonly type: AtomicType;
			readonly refTable?: string;
			readonly refType?: 'strong' | 'weak';
			readonly enum?: Atom | readonly ['set', readonly Atom[]];
	  };

export function databaseMeta(schema: SchemaDocument): DatabaseMeta {
	const entries = Object.entries(schema.tables);
	// RFC 7047 section 3.2: a schema in which no table is root predates garbage collection; all its tables are root.
	const allRoot = !entries.some(([, table]) => table.isRoot);
	const tables = entries.map(([name, table]): [string, TableMeta] => {
		const columns = Object.entries(table.columns).map(([column, { type, mutable = true }]) => [column, columnMeta(type, mutable)]);
		return [name, { name, columns: Object.fromEntries(columns), isRoot: allRoot || table.isRoot === true, indexes: table.indexes ?? [] }];
	});
	return { name: schema.name, version: schema.version, tables: Object.fromEntries(tables) };
}

function columnMeta(type: SchemaType, mutable: boolean): ColumnMeta {
	if (typeof type === 'string') return { kind: 'scalar', key: { type }, mutable };
	const { key, value, min = 1, max = 1 } = type;
	const nonEmpty = min > 0 ? { nonEmpty: true } : {};
	if (value !== undefined) return { kind: 'map', key: baseMeta(key), value: baseMeta(value), ...nonEmpty, mutable };
	if (max !== 1) return { kind: 'set', key: baseMeta(key), ...nonEmpty, mutable };
	return { kind: min === 0 ? 'optional' : 'scalar', key: baseMeta(key), mutable };
}

function baseMeta(base: SchemaBase): BaseMeta {
	if (typeof base === 'string') return { type: base };
	return {
		type: base.type,
		...(base.refTable === undefined ? {} : { refTable: base.refTable, refType: base.refType ?? 'strong' }),
		...(base.enum === undefined ? {} : { values: Array.isArray(base.enum) ? base.enum[1] : [base.enum as Atom] }),
	};
}
