import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attribute, decodeAttributes, encodeAttributes, listAttributes, text, textOf } from './attributes.ts';
import { decodeMessages, encodeMessages } from './message.ts';

const bytes = fc.uint8Array({ maxLength: 64 });
const attribute = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }), value: bytes });
const message = fc.record({
	type: fc.integer({ min: 0, max: 0xffff }),
	flags: fc.integer({ min: 0, max: 0xffff }),
	sequence: fc.integer({ min: 0, max: 0xffffffff }),
	payload: bytes,
});

describe('netlink codec', () => {
	it('reads back the attributes that it wrote, nested ones included', () => {
		fc.assert(
			fc.property(fc.array(attribute), fc.array(attribute), (flat, nested) => {
				const encoded = encodeAttributes([...flat, { type: 9, value: nested }]);
				expect(encoded.length % 4).toBe(0);
				const list = listAttributes(encoded);
				expect(list.slice(0, -1)).toEqual(flat);
				expect(listAttributes(list.at(-1)!.value)).toEqual(nested);
			}),
		);
	});

	it('reads back the messages that it wrote, whatever their lengths', () => {
		fc.assert(
			fc.property(fc.array(message), (messages) => {
				expect(decodeMessages(encodeMessages(messages))).toEqual(messages);
			}),
		);
	});

	it('reads a prefix of the list from truncated or foreign bytes and never beyond their end', () => {
		fc.assert(
			fc.property(fc.array(message, { minLength: 1 }), fc.nat(), bytes, (messages, cut, noise) => {
				const encoded = encodeMessages(messages);
				const decoded = decodeMessages(encoded.subarray(0, cut % encoded.length));
				expect(decoded).toEqual(messages.slice(0, decoded.length));
				decodeMessages(noise);
				listAttributes(noise);
			}),
		);
	});

	it('lays an attribute out as rtnetlink(7) draws it', () => {
		const nested: Attribute = { type: 18, value: [{ type: 1, value: text('veth') }] };
		expect(Buffer.from(encodeAttributes([nested])).toString('hex')).toBe('1000' + '1280' + '0900' + '0100' + '76657468' + '00000000');
		expect(textOf(decodeAttributes(encodeAttributes([{ type: 3, value: text('eth0') }])).get(3)!)).toBe('eth0');
	});
});
