import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from './ip.ts';
import {
	countAddresses,
	formatIpRange,
	formatRangeList,
	type IpRange,
	intersectRanges,
	mergeRanges,
	parseIpRange,
	rangesContain,
	subtractRanges,
} from './ranges.ts';

const lists = fc.array(
	fc
		.tuple(fc.constantFrom(4 as const, 6 as const), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 8 }))
		.map(([family, first, more]): IpRange => ({ family, first: BigInt(first), last: BigInt(first + more) })),
	{ maxLength: 12 },
);

function addresses(ranges: readonly IpRange[]): Set<string> {
	const all = new Set<string>();
	for (const { family, first, last } of ranges) for (let value = first; value <= last; value++) all.add(`${family}/${value}`);
	return all;
}

function isMerged(ranges: readonly IpRange[]): boolean {
	return ranges.every((range, index) => {
		const before = ranges[index - 1];
		return range.first <= range.last && (!before || before.family < range.family || before.last + 1n < range.first);
	});
}

describe('parseIpRange', () => {
	it.each([
		['10.0.0.1', '10.0.0.1'],
		['10.0.0.1..10.0.0.9', '10.0.0.1..10.0.0.9'],
		['10.0.0.9..10.0.0.9', '10.0.0.9'],
		['fd00::1..FD00::F', 'fd00::1..fd00::f'],
	])('reads %s', (text, written) => {
		expect(formatIpRange(parseIpRange(text)!)).toBe(written);
	});

	it.each(['', '..', '10.0.0.1..', '..10.0.0.1', '10.0.0.9..10.0.0.1', '10.0.0.1..fd00::1', '10.0.0.1...10.0.0.9', '10.0.0.1-10.0.0.9'])(
		'refuses %j',
		(text) => {
			expect(parseIpRange(text)).toBeUndefined();
		},
	);

	it('writes the form of status fields', () => {
		expect(formatIpRange(parseIpRange('10.16.0.5..10.16.0.9')!, '-')).toBe('10.16.0.5-10.16.0.9');
	});
});

describe('sets of ranges behave as sets of addresses', () => {
	it('merge', () => {
		fc.assert(
			fc.property(lists, (list) => {
				const merged = mergeRanges(list);
				expect(addresses(merged)).toEqual(addresses(list));
				expect(isMerged(merged)).toBe(true);
				expect(countAddresses(merged)).toBe(BigInt(addresses(list).size));
			}),
		);
	});

	it('subtract and intersect', () => {
		fc.assert(
			fc.property(lists, lists, (left, right) => {
				const [a, b] = [mergeRanges(left), mergeRanges(right)];
				expect(addresses(subtractRanges(a, b))).toEqual(new Set([...addresses(a)].filter((address) => !addresses(b).has(address))));
				expect(addresses(intersectRanges(a, b))).toEqual(new Set([...addresses(a)].filter((address) => addresses(b).has(address))));
				expect(isMerged(subtractRanges(a, b))).toBe(true);
			}),
			{ numRuns: 500 },
		);
	});

	it('contains', () => {
		fc.assert(
			fc.property(lists, fc.constantFrom(4 as const, 6 as const), fc.bigInt({ min: 0n, max: 50n }), (list, family, value) => {
				expect(rangesContain(mergeRanges(list), { family, value })).toBe(addresses(list).has(`${family}/${value}`));
			}),
			{ numRuns: 500 },
		);
	});
});

it('lists ranges as status fields do, up to a limit', () => {
	const ranges = ['10.0.0.1..10.0.0.4', '10.0.0.7', '10.0.0.9..10.0.0.10'].map((text) => parseIpRange(text)!);
	expect(formatRangeList(ranges)).toBe('10.0.0.1-10.0.0.4,10.0.0.7,10.0.0.9-10.0.0.10');
	expect(formatRangeList(ranges, 3)).toBe('10.0.0.1-10.0.0.4,10.0.0.7,10.0.0.9-10.0.0.10');
	expect(formatRangeList(ranges, 2)).toBe('10.0.0.1-10.0.0.4,10.0.0.7,...');
	expect(formatRangeList([])).toBe('');
});

it('spans the whole of IPv6 without loss', () => {
	const all = parseIpRange('::..ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')!;
	expect(countAddresses([all])).toBe(2n ** 128n);
	expect(rangesContain([all], parseIp('fd00::1')!)).toBe(true);
});
