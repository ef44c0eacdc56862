import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReleaseQueue } from './release-queue.ts';

it('keeps the order in which values came', () => {
	const steps = fc.array(fc.tuple(fc.constantFrom('add', 'delete', 'take'), fc.bigInt({ min: 0n, max: 9n })), { maxLength: 100 });
	fc.assert(
		fc.property(steps, (list) => {
			const queue = new ReleaseQueue();
			let model: bigint[] = [];
			for (const [step, value] of list) {
				if (step === 'add' && !model.includes(value)) {
					queue.add(value);
					model.push(value);
				} else if (step !== 'add') {
					const leaving = step === 'take' ? queue.oldest() : value;
					if (step === 'take') expect(leaving).toBe(model[0]);
					if (leaving !== undefined) expect(queue.delete(leaving)).toBe(model.includes(leaving));
					model = model.filter((other) => other !== leaving);
				}
				expect([...queue.values()]).toEqual(model);
				expect(queue.size).toBe(model.length);
			}
		}),
		{ numRuns: 300 },
	);
});

it('forgets what was passed over', () => {
	const queue = new ReleaseQueue();
	for (let round = 0n; round < 20_000n; round++) {
		queue.add(round);
		if (round >= 3n) expect(queue.delete(queue.oldest()!)).toBe(true);
	}
	expect([...queue.values()]).toEqual([19_997n, 19_998n, 19_999n]);
	expect(queue.turnOf(19_996n)).toBeUndefined();
});
