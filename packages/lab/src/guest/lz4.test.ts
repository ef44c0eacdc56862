import { describe, expect, it } from 'vitest';
import { decompressLz4 } from './lz4.ts';

const magic = [0x02, 0x21, 0x4c, 0x18];

/** A frame of blocks; each block is preceded by its length. */
function frame(...blocks: readonly (readonly number[])[]): Uint8Array {
	return Uint8Array.from([...magic, ...blocks.flatMap((block) => [block.length & 255, block.length >> 8, 0, 0, ...block])]);
}

const ascii = (text: string): number[] => [...Buffer.from(text)];

describe('decompressLz4', () => {
	it('copies literals', () => {
		expect(Buffer.from(decompressLz4(frame([0x50, ...ascii('hello')]), 5)).toString()).toBe('hello');
	});

	it('repeats an overlapping match', () => {
		// Literals "ab", then a match of 4 + 4 bytes at offset 2, then the literal "!".
		expect(Buffer.from(decompressLz4(frame([0x24, ...ascii('ab'), 2, 0, 0x10, ...ascii('!')]), 11)).toString()).toBe('ababababab!');
	});

	it('extends lengths beyond the nibble', () => {
		const literals = ascii('x'.repeat(15 + 255 + 7));
		expect(decompressLz4(frame([0xf0, 255, 7, ...literals]), literals.length)).toHaveLength(277);
	});

	it('lets a match reach into an earlier block', () => {
		expect(Buffer.from(decompressLz4(frame([0x40, ...ascii('abcd')], [0x10, ...ascii('-')]), 5)).toString()).toBe('abcd-');
		expect(Buffer.from(decompressLz4(frame([0x40, ...ascii('abcd')], [0x00, 4, 0, 0x10, ...ascii('!')]), 9)).toString()).toBe('abcdabcd!');
	});

	it.each([
		['another format', Uint8Array.from([1, 2, 3, 4, 5])],
		['a frame cut short', frame([0x50, ...ascii('hello')]).subarray(0, 9)],
		['a missing block', frame([0x30, ...ascii('abc')])],
		['a match before the start', frame([0x14, ...ascii('a'), 2, 0, 0x10, ...ascii('b')])],
		['a block cut inside its literals', frame([0x50, ...ascii('he')])],
	])('refuses %s', (_, input) => {
		expect(() => decompressLz4(input, 5)).toThrow(expect.objectContaining({ code: 'GUEST_LZ4' }));
	});
});
