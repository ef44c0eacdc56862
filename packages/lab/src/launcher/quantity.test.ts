import { describe, expect, it } from 'vitest';
import { parseAmount, parseQuantity } from './quantity.ts';

describe('parseQuantity', () => {
	it.each([
		['64M', 64_000_000],
		['1Gi', 1_073_741_824],
		['1.5Ki', 1536],
		['500m', 0.5],
		[2, 2],
		['0', 0],
	])('reads %s', (text, value) => expect(parseQuantity(text, 'memory')).toBe(value));

	it.each(['', 'much', '1 Gi', '-1', '1GiB'])('refuses "%s"', (text) => {
		expect(() => parseQuantity(text, 'memory')).toThrow(expect.objectContaining({ code: 'VM_QUANTITY' }));
	});
});

describe('parseAmount', () => {
	it('rounds up and refuses nothing', () => {
		expect(parseAmount('1500m', 'processors')).toBe(2);
		expect(() => parseAmount('0Mi', 'memory')).toThrow('memory is of no use: it is zero');
	});
});
