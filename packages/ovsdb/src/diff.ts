import { type Atom, type ColumnMeta, decodeValue, type Value, type WireValue } from '@tapestry/network';

/**
 * A column after a `modify` of <table-updates2> (ovsdb-server(7) section 4.1.14): the new value of a column of at most one element, the
 * elements that came or went of a set, the pairs that came, went or changed of a map.
 */
export function applyDiff(column: ColumnMeta, before: Value, wire: WireValue): Value {
	switch (column.kind) {
		case 'scalar':
		case 'optional':
			return decodeValue(column, wire);
		case 'set':
			return symmetricDifference(before as readonly Atom[], decodeValue(column, wire) as readonly Atom[]);
		case 'map':
			return patchMap(before as Readonly<Record<string, Atom>>, decodeValue(column, wire) as Readonly<Record<string, Atom>>);
	}
}

function symmetricDifference(before: readonly Atom[], diff: readonly Atom[]): readonly Atom[] {
	const changed = new Set(diff);
	const kept = before.filter((atom) => !changed.delete(atom));
	return Object.freeze([...kept, ...changed]);
}

/** A pair that is in both is gone; a key that is in both with another value has the new one. */
function patchMap(before: Readonly<Record<string, Atom>>, diff: Readonly<Record<string, Atom>>): Readonly<Record<string, Atom>> {
	const pairs = new Map(Object.entries(before));
	for (const [key, atom] of Object.entries(diff)) {
		if (pairs.get(key) === atom) pairs.delete(key);
		else pairs.set(key, atom);
	}
	return Object.freeze(Object.fromEntries(pairs));
}
