import { describe, expect, it } from 'vitest';
import { seeded } from '../../packages/agent/src/testing/seeded.ts';
import { median, pairedRatio, shuffled } from './statistics.ts';

describe('median', () => {
	it('is the middle, or between the two in the middle', () => {
		expect(median([3, 1, 2])).toBe(2);
		expect(median([4, 1, 2, 3])).toBe(2.5);
		expect(median([])).toBeNaN();
	});
});

describe('pairedRatio', () => {
	it('compares round by round, so that what slows a whole round does not count', () => {
		const disturbance = [1, 10, 3, 1, 7, 2, 1, 5, 1, 4];
		const ratio = pairedRatio(
			disturbance.map((factor) => factor * 110),
			disturbance.map((factor) => factor * 100),
		);
		expect(ratio).toMatchObject({ n: 10 });
		for (const figure of [ratio?.value, ratio?.low, ratio?.high]) expect(figure).toBeCloseTo(1.1);
	});

	it('takes the second and the ninth of ten: the exact interval of a median (97.9 %)', () => {
		const ratio = pairedRatio([10, 2, 3, 4, 5, 6, 7, 8, 9, 1], Array<number>(10).fill(1));
		expect(ratio).toMatchObject({ value: 5.5, low: 2, high: 9 });
		expect(ratio?.coverage).toBeCloseTo(0.979, 3);
	});

	it('says that few rounds cannot cover 95 %', () => {
		expect(pairedRatio([1, 2, 3], [1, 1, 1])).toMatchObject({ low: 1, high: 3, coverage: 0.75 });
	});

	it('covers the true median as often as it says', () => {
		const random = seeded(1);
		let hits = 0;
		for (let run = 0; run < 2000; run++) {
			const samples = Array.from({ length: 12 }, () => random() + 0.5);
			const { low = 0, high = 0 } = pairedRatio(samples, Array<number>(12).fill(1)) ?? {};
			if (low <= 1 && 1 <= high) hits++;
		}
		expect(hits / 2000).toBeGreaterThan(0.945);
	});

	it('leaves out rounds that one of them missed', () => {
		expect(pairedRatio([2, Number.NaN, 4], [1, 1, Number.NaN])).toMatchObject({ n: 1, value: 2 });
		expect(pairedRatio([], [])).toBeUndefined();
	});
});

describe('shuffled', () => {
	it('keeps every item and comes to other orders', () => {
		const random = seeded(7);
		const orders = new Set(Array.from({ length: 200 }, () => shuffled(['a', 'b', 'c'], random).join('')));
		expect([...orders].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
	});
});
