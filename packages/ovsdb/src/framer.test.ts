import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer } from './framer.ts';

describe('framer', () => {
	it('finds what JSON.parse reads, wherever the stream is cut', () => {
		const message = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
		const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 40 });
		fc.assert(
			fc.property(fc.array(message, { maxLength: 8 }), fc.constantFrom('', ' ', '\r\n'), cuts, (messages, gap, at) => {
				const stream = Buffer.from(messages.map((item) => JSON.stringify(item)).join(gap));
				const bounds = [0, ...at.filter((offset) => offset < stream.length).sort((a, b) => a - b), stream.length];
				const framer = new Framer();
				const found = bounds.slice(1).flatMap((end, index) => framer.push(stream.subarray(bounds[index], end)));
				expect(found.map((text) => JSON.parse(text))).toEqual(messages.map((item) => JSON.parse(JSON.stringify(item))));
			}),
		);
	});

	it('is not misled by braces, quotes and backslashes in strings', () => {
		const message = { '{"': '}\\', b: '\\"}{', c: [{ d: '"' }] };
		const bytes = Buffer.from(JSON.stringify(message));
		const framer = new Framer();
		const found = [...bytes].flatMap((byte) => framer.push(Uint8Array.of(byte)));
		expect(found.map((text) => JSON.parse(text))).toEqual([message]);
	});

	it('refuses what is no object', () => {
		expect(() => new Framer().push(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(/between two messages/);
		expect(() => new Framer().push(Buffer.from('{}}'))).toThrow(/between two messages/);
	});
});
