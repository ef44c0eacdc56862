import { expect, it } from 'vitest';
import { readQuantity } from './quantity.ts';

it.each([
	['64M', 64_000_000],
	['1Gi', 1_073_741_824],
	['1.5Ki', 1536],
	['500m', 0.5],
	['10k', 10_000],
	['1P', 1e15],
	['0', 0],
])('reads %s', (text, value) => expect(readQuantity(text)).toBe(value));

it.each(['', 'much', '1 Gi', '-1', '1GiB', '1K', '1e3', 'toString', '1.'])('knows that "%s" is no quantity', (text) => {
	expect(readQuantity(text)).toBeUndefined();
});
