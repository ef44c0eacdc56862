import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureFlow } from './gap.ts';

const flow = (...answers: readonly (readonly [sequence: number, at: number])[]) => answers.map(([sequence, at]) => ({ sequence, at }));

describe('measureFlow', () => {
	it('finds the longest time between two answers and the numbers that are missing', () => {
		const answers = flow([1, 980], [2, 1000], [3, 1020], [7, 1100], [8, 1120]);
		expect(measureFlow(answers, { from: 1005, to: 1125 })).toEqual({ longestGapMs: 80, lost: 3, answering: true });
	});

	it('sees an outage in which sends failed, and so took no numbers', () => {
		const answers = flow([1, 1000], [2, 1020], [3, 3020], [4, 3040]);
		expect(measureFlow(answers, { from: 1010, to: 3050 })).toEqual({ longestGapMs: 2000, lost: 0, answering: true });
	});

	it('counts the time since the last answer before the stretch, and up to its end', () => {
		expect(measureFlow(flow([1, 1000]), { from: 1500, to: 4000 })).toEqual({ longestGapMs: 3000, lost: 0, answering: false });
		expect(measureFlow([], { from: 1500, to: 4000 })).toEqual({ longestGapMs: 2500, lost: 0, answering: false });
	});

	it('does not count what came late or twice as lost', () => {
		const answers = flow([1, 1000], [3, 1040], [2, 1041], [3, 1042], [4, 1060]);
		expect(measureFlow(answers, { from: 1001, to: 1070 }).lost).toBe(0);
	});

	it('loses exactly what is taken out of a whole flow between its ends', () => {
		const taken = fc.uniqueArray(fc.integer({ min: 2, max: 98 }));
		fc.assert(
			fc.property(taken, (gone) => {
				const answers = Array.from({ length: 99 }, (_, i) => ({ sequence: i + 1, at: (i + 1) * 20 })).filter(
					({ sequence }) => !gone.includes(sequence),
				);
				expect(measureFlow(answers, { from: 20, to: 1980 }).lost).toBe(gone.length);
			}),
		);
	});
});
