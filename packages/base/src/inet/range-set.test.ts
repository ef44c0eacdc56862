import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RangeSet } from './range-set.ts';

const steps = fc.array(fc.tuple(fc.constantFrom('add', 'delete'), fc.integer({ min: 0, max: 30 })), { maxLength: 120 });

it('behaves as a Set', () => {
	fc.assert(
		fc.property(steps, fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), (list, from, to) => {
			const set = new RangeSet([{ first: 5n, last: 9n }], 2);
			const model = new Set([5, 6, 7, 8, 9]);
			for (const [step, value] of list) {
				const changed = step === 'add' ? !model.has(value) : model.has(value);
				if (step === 'add') model.add(value);
				else model.delete(value);
				expect(step === 'add' ? set.add(BigInt(value)) : set.delete(BigInt(value))).toBe(changed);
			}
			const members = [...model].sort((a, b) => a - b);
			const ranges = [...set.ranges()];
			expect(
				ranges.flatMap(({ first, last }) => Array.from({ length: Number(last - first) + 1 }, (_, index) => Number(first) + index)),
			).toEqual(members);
			for (const [index, { first }] of ranges.entries()) if (index > 0) expect(first).toBeGreaterThan(ranges[index - 1]!.last + 1n);
			expect(set.size).toBe(BigInt(model.size));
			expect(set.has(BigInt(from))).toBe(model.has(from));
			expect(set.lowest()).toBe(members[0] === undefined ? undefined : BigInt(members[0]));
			const within = members.find((value) => value >= from && value <= to);
			expect(set.lowest(BigInt(from), BigInt(to))).toBe(within === undefined ? undefined : BigInt(within));
		}),
		{ numRuns: 500 },
	);
});
