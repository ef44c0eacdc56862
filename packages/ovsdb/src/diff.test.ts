import { type Atom, type ColumnMeta, encodeValue, sameValue, type Value, type WireValue } from '@tapestry/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDiff } from './diff.ts';

const integers: ColumnMeta = { kind: 'set', key: { type: 'integer' }, mutable: true };
const tag: ColumnMeta = { kind: 'optional', key: { type: 'integer' }, mutable: true };
const ids: ColumnMeta = { kind: 'map', key: { type: 'string' }, value: { type: 'string' }, mutable: true };
const set = fc.uniqueArray(fc.nat({ max: 9 }));
const map = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.constantFrom('1', '2'));

// What ovsdb-server(7) section 4.1.14 says a server sends; the integration tests compare with a real one.
function setDiff(before: readonly Atom[], after: readonly Atom[]): readonly Atom[] {
	return [...before.filter((atom) => !after.includes(atom)), ...after.filter((atom) => !before.includes(atom))];
}
function mapDiff(before: Readonly<Record<string, Atom>>, after: Readonly<Record<string, Atom>>): WireValue {
	const gone = Object.entries(before).filter(([key]) => !Object.hasOwn(after, key));
	const changed = Object.entries(after).filter(([key, atom]) => !Object.hasOwn(before, key) || before[key] !== atom);
	return encodeValue(ids, Object.fromEntries([...gone, ...changed]));
}
function expectSame(column: ColumnMeta, got: Value, wanted: Value): void {
	expect({ got, same: sameValue(column, got, wanted) }).toEqual({ got, same: true });
}

describe('a modify', () => {
	it('adds and removes elements of a set', () => {
		fc.assert(
			fc.property(set, set, (before, after) => {
				expectSame(integers, applyDiff(integers, before, encodeValue(integers, setDiff(before, after))), after);
			}),
		);
	});

	it('sets, replaces and clears an optional', () => {
		expect(applyDiff(tag, undefined, 1)).toBe(1);
		expect(applyDiff(tag, 1, 2)).toBe(2);
		expect(applyDiff(tag, 1, ['set', []])).toBeUndefined();
	});

	it('adds, changes and removes pairs of a map', () => {
		fc.assert(fc.property(map, map, (before, after) => expectSame(ids, applyDiff(ids, before, mapDiff(before, after)), after)));
	});

	it('leaves the value before untouched', () => {
		const before = Object.freeze([1, 2]);
		applyDiff(integers, before, ['set', [2, 3]]);
		expect(before).toEqual([1, 2]);
	});
});
