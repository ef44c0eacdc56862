import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kube/src/testing/fake-clock.ts';
import { Settler } from './settler.ts';

/** An action that the test ends by hand; `runs` holds one entry for each run. */
function manual() {
	const runs: (PromiseWithResolvers<void> & { readonly signal: AbortSignal })[] = [];
	const begun: (() => void)[] = [];
	const errors: unknown[] = [];
	const clock = createFakeClock();
	const settler = new Settler(
		{ clock },
		(signal) => {
			const run = { ...Promise.withResolvers<void>(), signal };
			runs.push(run);
			for (const resume of begun.splice(0)) resume();
			return run.promise;
		},
		(error) => errors.push(error),
	);
	return { settler, clock, runs, errors, next: () => new Promise<void>((resolve) => begun.push(resolve)) };
}

describe('Settler', () => {
	it('runs once more, however often it was asked while it ran', async () => {
		const { settler, runs, next } = manual();
		let begun = next();
		void settler.look();
		await begun;
		begun = next();
		for (let i = 0; i < 5; i++) void settler.look();
		expect(runs).toHaveLength(1);
		runs[0]?.resolve();
		await begun;
		expect(runs).toHaveLength(2);
		runs[1]?.resolve();
		await settler.stop();
		expect(runs).toHaveLength(2);
	});

	it('retries only what failed', async () => {
		const { settler, runs, errors, next } = manual();
		settler.retry();
		let begun = next();
		void settler.look();
		await begun;
		expect(runs).toHaveLength(1);
		begun = next();
		runs[0]?.reject(new Error('not now'));
		await Promise.resolve();
		await Promise.resolve();
		settler.retry();
		await begun;
		expect(errors).toEqual([new Error('not now')]);
		runs[1]?.resolve();
		await settler.stop();
	});

	it('repeats what failed by itself, with growing pauses, until it does not or is stopped', async () => {
		const { settler, clock, runs, errors } = manual();
		void settler.look();
		await clock.advance(0);
		for (const pause of [200, 400, 800]) {
			runs.at(-1)?.reject(new Error('not now'));
			await clock.advance(pause - 1);
			const before = runs.length;
			await clock.advance(1);
			expect(runs).toHaveLength(before + 1);
		}
		runs.at(-1)?.resolve();
		await clock.advance(60_000);
		expect(runs).toHaveLength(4);
		expect(errors).toHaveLength(3);
		void settler.look();
		await clock.advance(0);
		runs.at(-1)?.reject(new Error('again'));
		await clock.advance(0);
		expect(clock.nextIn()).toBe(200);
		await settler.stop();
		expect(clock.nextIn()).toBeUndefined();
	});

	it('aborts the run under way when it is stopped, and begins no other', async () => {
		const { settler, runs, errors, next } = manual();
		const begun = next();
		void settler.look();
		await begun;
		const [run] = runs;
		run?.signal.addEventListener('abort', () => run.reject(run.signal.reason));
		void settler.look();
		await settler.stop();
		void settler.look();
		expect(runs).toHaveLength(1);
		expect(errors).toEqual([]);
	});
});
