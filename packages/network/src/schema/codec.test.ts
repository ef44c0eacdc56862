import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRow, decodeValue, defaultValue, encodeRow, encodeValue, sameValue } from './codec.ts';
import { type AtomicType, type ColumnMeta, databaseMeta } from './meta.ts';
import { type NbWrite, nbSchema } from './nb.generated.ts';
import type { Atom, Row, Value } from './wire.ts';

const switchMeta = nbSchema.tables.Logical_Switch;
const portMeta = nbSchema.tables.Logical_Switch_Port;
const uuid = '6e1f3a52-6f6c-4f5e-9f39-5c7f4b1a0001';
const other = '6e1f3a52-6f6c-4f5e-9f39-5c7f4b1a0002';

const atoms: Readonly<Record<AtomicType, fc.Arbitrary<Atom>>> = {
	integer: fc.maxSafeInteger(),
	real: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
	boolean: fc.boolean(),
	string: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', 'toString')),
	uuid: fc.uuid(),
};
const type = fc.constantFrom<AtomicType>('integer', 'real', 'boolean', 'string', 'uuid');
const columnAndValue: fc.Arbitrary<{ column: ColumnMeta; value: Value }> = fc
	.record({ kind: fc.constantFrom<ColumnMeta['kind'][]>('scalar', 'optional', 'set', 'map'), key: type, value: type })
	.chain(({ kind, key, value }) => {
		const column: ColumnMeta = { kind, key: { type: key }, ...(kind === 'map' ? { value: { type: value } } : {}), mutable: true };
		return valueFor(column).map((decoded) => ({ column, value: decoded }));
	});

function valueFor({ kind, key, value }: ColumnMeta): fc.Arbitrary<Value> {
	if (kind === 'scalar') return atoms[key.type];
	if (kind === 'optional') return fc.option(atoms[key.type], { nil: undefined });
	if (kind === 'set') return fc.uniqueArray(atoms[key.type]);
	return fc.array(fc.tuple(atoms[key.type].map(String), atoms[value?.type ?? 'string'])).map((pairs): Value => Object.fromEntries(pairs));
}

describe('column values', () => {
	it('survive encoding, JSON and decoding', () => {
		fc.assert(
			fc.property(columnAndValue, ({ column, value }) => {
				const wire = JSON.parse(JSON.stringify(encodeValue(column, value)));
				expect(decodeValue(column, wire)).toEqual(value);
				expect(sameValue(column, decodeValue(column, wire), value)).toBe(true);
			}),
		);
	});

	it('are the same in any order of a set or a map, and differ when one element does', () => {
		const [set, map] = [switchMeta.columns.ports, switchMeta.columns.external_ids];
		if (!set || !map) throw new Error('schema');
		expect(sameValue(set, [uuid, other], [{ uuid: other }, uuid])).toBe(true);
		expect(sameValue(set, [uuid], [uuid, other])).toBe(false);
		expect(sameValue(set, [uuid], [{ named: uuid }])).toBe(false);
		expect(sameValue(map, { a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true);
		expect(sameValue(map, { a: '1' }, { b: '1' })).toBe(false);
		expect(sameValue(map, { a: '1' }, { a: '2' })).toBe(false);
		expect(sameValue(map, { a: '1' }, { toString: '1' })).toBe(false);
	});

	it('have the defaults of RFC 7047', () => {
		expect(defaultValue({ kind: 'scalar', key: { type: 'integer' }, mutable: true })).toBe(0);
		expect(defaultValue({ kind: 'optional', key: { type: 'string' }, mutable: true })).toBeUndefined();
		expect(defaultValue({ kind: 'set', key: { type: 'string' }, nonEmpty: true, mutable: true })).toEqual(['']);
		expect(defaultValue({ kind: 'map', key: { type: 'string' }, value: { type: 'string' }, mutable: true })).toEqual({});
	});

	it('that do not fit their column are refused with a code', () => {
		const column: ColumnMeta = { kind: 'scalar', key: { type: 'integer' }, mutable: true };
		for (const value of ['1', 1.5, 2 ** 60, undefined, [1]]) expect(() => encodeValue(column, value)).toThrow(/expected type integer/);
		const set: ColumnMeta = { kind: 'set', key: { type: 'uuid' }, mutable: true };
		expect(() => encodeValue(set, uuid)).toThrow(/expected an array/);
		expect(() => encodeValue(set, [1])).toThrow(/expected a reference/);
	});
});

describe('rows', () => {
	it('are written with references to rows of the same transaction', () => {
		const row: NbWrite<'Logical_Switch'> = {
			name: 'net1',
			ports: [{ named: 'p1' }, { uuid }, other],
			copp: undefined,
			other_config: { mtu: '1442' },
		};
		expect(encodeRow(switchMeta, row satisfies Row)).toEqual({
			name: 'net1',
			ports: [
				'set',
				[
					['named-uuid', 'p1'],
					['uuid', uuid],
					['uuid', other],
				],
			],
			copp: ['set', []],
			other_config: ['map', [['mtu', '1442']]],
		});
	});

	it('are read frozen, with a lone element for a set, and without columns of newer schemas', () => {
		const row = decodeRow(portMeta, {
			_uuid: ['uuid', uuid],
			_version: ['uuid', other],
			addresses: '0a:00:00:00:00:01 10.16.0.2',
			tag: ['set', []],
			up: true,
			from_the_future: 1,
		});
		expect(row).toEqual({ _uuid: uuid, addresses: ['0a:00:00:00:00:01 10.16.0.2'], tag: undefined, up: true });
		expect(Object.isFrozen(row) && Object.isFrozen(row.addresses)).toBe(true);
	});

	it('name the table and column that cannot be written', () => {
		expect(() => encodeRow(switchMeta, { tier: 1 })).toThrow(/Logical_Switch has no column tier/);
		expect(() => encodeRow(switchMeta, { name: 1 })).toThrow(/column name of table Logical_Switch/);
		expect(() => encodeRow(switchMeta, { constructor: 1 } as unknown as Row)).toThrow(/has no column constructor/);
	});
});

describe('metadata', () => {
	it('takes every table of a schema without roots as root', () => {
		const tables = { A: { columns: { x: { type: { key: { type: 'uuid', refTable: 'A' }, min: 0, max: 1 }, mutable: false } } } } as const;
		const meta = databaseMeta({ name: 'old', version: '1.0.0', tables });
		expect(meta.tables.A).toEqual({
			name: 'A',
			isRoot: true,
			indexes: [],
			columns: { x: { kind: 'optional', key: { type: 'uuid', refTable: 'A', refType: 'strong' }, mutable: false } },
		});
	});
});
