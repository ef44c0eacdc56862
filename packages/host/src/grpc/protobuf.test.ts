import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesField, bytesFields, int32Field, joinBytes, readMessage, writeBytes, writeInt32 } from './protobuf.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

it('reads what it wrote', () => {
	const number = fc.integer({ min: 1, max: 536_870_911 });
	fc.assert(
		fc.property(number, fc.uint8Array({ maxLength: 300 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (at, bytes, value) => {
			const next = at === 536_870_911 ? 1 : at + 1;
			const fields = readMessage(joinBytes(writeBytes(at, bytes), writeInt32(next, value)));
			expect(bytesField(fields, at)).toEqual(bytes);
			expect(int32Field(fields, next)).toBe(value);
		}),
	);
});

it('reads what protoc wrote', () => {
	// name: "a", hookPoints {name: "OnDefineDomain" priority: -1}, versions: ["v1", "v2"], and fields of other types that nobody asks for.
	const hex =
		'0a0161 1a1b 0a0e4f6e446566696e65446f6d61696e 10ffffffffffffffffff01 22027631 22027632 29 0102030405060708 35 01020304 38 96 01';
	const fields = readMessage(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
	expect(text(bytesField(fields, 1))).toBe('a');
	expect(bytesFields(fields, 4).map(text)).toEqual(['v1', 'v2']);
	const point = readMessage(bytesField(fields, 3));
	expect(text(bytesField(point, 1))).toBe('OnDefineDomain');
	expect(int32Field(point, 2)).toBe(-1);
	expect(int32Field(fields, 7)).toBe(150);
});

it.each([
	['an end within a number', '0a80'],
	['an end within a field', '0a0561'],
	['a length beyond the end', '0affffffff0f61'],
	['a number that never ends', '08ffffffffffffffffffffff01'],
	['a group', '0b'],
	['field number 0', '0001'],
])('refuses %s', (_, hex) => {
	expect(() => readMessage(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: 'PROTOBUF_MALFORMED' }));
});

it('never fails in another way', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
			try {
				readMessage(bytes);
			} catch (error) {
				expect(error).toMatchObject({ code: 'PROTOBUF_MALFORMED' });
			}
		}),
	);
});
