import { CodedError } from '@tapestry/base';
import type { AtomicType, BaseMeta, ColumnMeta, TableMeta } from './meta.ts';
import type { Atom, Condition, Ref, Row, Uuid, Value, WireAtom, WireRow, WireValue } from './wire.ts';

const zeroUuid = '00000000-0000-0000-0000-000000000000';
const zeros: Readonly<Record<AtomicType, Atom>> = { integer: 0, real: 0, boolean: false, string: '', uuid: zeroUuid };
// Most columns of most rows are empty: sharing these keeps a replica small.
const emptySet: readonly Atom[] = Object.freeze([]);
const emptyMap: Readonly<Record<string, Atom>> = Object.freeze({});

/** The columns present in `wire`, decoded; columns that `meta` does not know (`_version`) are left out. The row is frozen. */
export function decodeRow(meta: TableMeta, wire: WireRow): Row {
	const row: Record<string, Value> = {};
	for (const name in wire) {
		if (name === '_uuid') row[name] = decodeAtom(wire[name] as WireAtom);
		const column = columnOf(meta, name);
		if (column) row[name] = decodeValue(column, wire[name] as WireValue);
	}
	return Object.freeze(row);
}

/** Encodes every column of `row` but `_uuid`. A column that is present and `undefined` becomes the empty set. Throws OVSDB_SCHEMA and OVSDB_VALUE. */
export function encodeRow(meta: TableMeta, row: Row): WireRow {
	const wire: Record<string, WireValue> = {};
	for (const [name, value] of Object.entries(row)) {
		if (name === '_uuid') continue;
		const column = columnOf(meta, name);
		if (!column) {
			throw new CodedError('OVSDB_SCHEMA', {
				what: `table ${meta.name} has no column ${name}`,
				fix: 'use a database whose schema has it',
			});
		}
		try {
			wire[name] = encodeValue(column, value);
		} catch (cause) {
			throw new CodedError('OVSDB_VALUE', `cannot encode column ${name} of table ${meta.name}`, { cause, details: { value } });
		}
	}
	return wire;
}

export function decodeValue(column: ColumnMeta, wire: WireValue): Value {
	switch (column.kind) {
		case 'scalar':
			return decodeAtom(atomsOf(wire)[0] as WireAtom);
		case 'optional': {
			const [atom] = atomsOf(wire);
			return atom === undefined ? undefined : decodeAtom(atom);
		}
		case 'set': {
			const atoms = atomsOf(wire);
			return atoms.length === 0 ? emptySet : Object.freeze(atoms.map(decodeAtom));
		}
		case 'map': {
			const pairs = pairsOf(wire);
			if (pairs.length === 0) return emptyMap;
			return Object.freeze(Object.fromEntries(pairs.map(([key, value]) => [String(decodeAtom(key)), decodeAtom(value)])));
		}
	}
}

export function encodeValue(column: ColumnMeta, value: Value): WireValue {
	switch (column.kind) {
		case 'scalar':
			return encodeAtom(column.key, value);
		case 'optional':
			return value === undefined ? ['set', []] : encodeAtom(column.key, value);
		case 'set':
			if (!Array.isArray(value)) throw mismatch('an array', value);
			return ['set', value.map((atom) => encodeAtom(column.key, atom))];
		case 'map': {
			const { key, value: base } = column;
			if (!isMap(value) || base === undefined) throw mismatch('an object', value);
			return ['map', Object.entries(value).map(([name, atom]) => [encodeKey(key, name), encodeAtom(base, atom)])];
		}
	}
}

/** What the server stores for a column that an insert does not name (RFC 7047 section 5.2.1). */
export function defaultValue(column: ColumnMeta): Value {
	const zero = zeros[column.key.type];
	switch (column.kind) {
		case 'scalar':
			return zero;
		case 'optional':
			return undefined;
		case 'set':
			return column.nonEmpty ? [zero] : emptySet;
		case 'map':
			return column.nonEmpty && column.value ? { [String(zero)]: zeros[column.value.type] } : emptyMap;
	}
}

/** Equality as the database sees it: sets and maps have no order, and a reference by UUID is its UUID. */
export function sameValue(column: ColumnMeta, a: Value, b: Value): boolean {
	if (a === b) return true;
	if (a === undefined || b === undefined) return false;
	switch (column.kind) {
		case 'scalar':
		case 'optional':
			return identity(a as Atom) === identity(b as Atom);
		case 'set': {
			const left = new Set((a as readonly Atom[]).map(identity));
			const right = new Set((b as readonly Atom[]).map(identity));
			return left.size === right.size && [...left].every((item) => right.has(item));
		}
		case 'map': {
			const left = Object.entries(a as Readonly<Record<string, Atom>>);
			const right = b as Readonly<Record<string, Atom>>;
			if (left.length !== Object.keys(right).length) return false;
			return left.every(([key, atom]) => Object.hasOwn(right, key) && identity(atom) === identity(right[key] as Atom));
		}
	}
}

/** The condition that matches the one row with this UUID. */
export function whereUuid(uuid: Uuid): readonly Condition[] {
	return [['_uuid', '==', ['uuid', uuid]]];
}

function isRef(value: Value): value is Ref {
	return (
		typeof value === 'object' && !Array.isArray(value) && (isNamed(value as Ref) || typeof (value as { uuid?: unknown }).uuid === 'string')
	);
}

function columnOf(meta: TableMeta, name: string): ColumnMeta | undefined {
	return Object.hasOwn(meta.columns, name) ? meta.columns[name] : undefined;
}

function isNamed(ref: Ref): ref is { readonly named: string } {
	return typeof (ref as { named?: unknown }).named === 'string';
}

function isMap(value: Value): value is Readonly<Record<string, Atom>> {
	return typeof value === 'object' && !Array.isArray(value);
}

/** RFC 7047 section 5.1: a set of exactly one element may be written as that element. */
function atomsOf(wire: WireValue): readonly WireAtom[] {
	return Array.isArray(wire) && wire[0] === 'set' ? (wire[1] as readonly WireAtom[]) : [wire as WireAtom];
}

function pairsOf(wire: WireValue): readonly (readonly [WireAtom, WireAtom])[] {
	if (!Array.isArray(wire) || wire[0] !== 'map') throw mismatch('a <map>', wire);
	return wire[1] as readonly (readonly [WireAtom, WireAtom])[];
}

function decodeAtom(wire: WireAtom): Atom {
	return typeof wire === 'object' ? wire[1] : wire;
}

function encodeAtom(base: BaseMeta, value: Value): WireAtom {
	if (base.type === 'uuid') {
		if (typeof value === 'string') return ['uuid', value];
		if (value === undefined || !isRef(value)) throw mismatch('a reference', value);
		return isNamed(value) ? ['named-uuid', value.named] : ['uuid', value.uuid];
	}
	const wanted = base.type === 'integer' || base.type === 'real' ? 'number' : base.type;
	if (typeof value !== wanted || (base.type === 'integer' && !Number.isSafeInteger(value))) throw mismatch(`type ${base.type}`, value);
	return value as WireAtom;
}

/** Object keys are strings; the wire has the column's own type. */
function encodeKey(base: BaseMeta, key: string): WireAtom {
	if (base.type === 'integer' || base.type === 'real') return encodeAtom(base, Number(key));
	return encodeAtom(base, base.type === 'boolean' ? key === 'true' : key);
}

function identity(atom: Atom): string | number | boolean {
	if (typeof atom !== 'object') return atom;
	return isNamed(atom) ? `named:${atom.named}` : atom.uuid;
}

function mismatch(expected: string, got: unknown): CodedError {
	return new CodedError('OVSDB_VALUE', { what: 'value does not fit its column', why: `expected ${expected}, got ${JSON.stringify(got)}` });
}
