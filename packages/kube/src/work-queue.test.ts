import { silentLogger } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import { createFakeClock, settle } from './testing/fake-clock.ts';
import { createWorkQueue } from './work-queue.ts';

function start(concurrency: number, handler: (key: string) => Promise<void>) {
	const clock = createFakeClock();
	const queue = createWorkQueue({ clock, random: () => 0, log: silentLogger }, { initial: 100, max: 400 });
	const abort = new AbortController();
	const ended = queue.run(concurrency, handler, abort.signal);
	const stop = async (): Promise<void> => {
		abort.abort();
		await ended;
	};
	return { clock, queue, stop };
}

describe('work queue', () => {
	it('handles a key once however often it was added', async () => {
		const handled: string[] = [];
		const { queue, stop } = start(2, async (key) => void handled.push(key));
		for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
		await settle();
		expect(handled).toEqual(['a', 'b']);
		await stop();
	});

	it('never handles one key twice at a time, and repeats it when it was added meanwhile', async () => {
		const gates: PromiseWithResolvers<void>[] = [];
		const { queue, stop } = start(4, () => {
			const gate = Promise.withResolvers<void>();
			gates.push(gate);
			return gate.promise;
		});
		queue.add('a');
		await settle();
		queue.add('a');
		queue.add('a');
		await settle();
		expect(gates).toHaveLength(1);
		gates[0]!.resolve();
		await settle();
		expect(gates).toHaveLength(2);
		gates[1]!.resolve();
		await settle();
		expect(gates).toHaveLength(2);
		await stop();
	});

	it('works on as many keys at once as asked', async () => {
		const gate = Promise.withResolvers<void>();
		let active = 0;
		const { queue, stop } = start(3, async () => {
			active += 1;
			await gate.promise;
		});
		for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
		await settle();
		expect(active).toBe(3);
		gate.resolve();
		await settle();
		expect(active).toBe(4);
		await stop();
	});

	it('repeats a failing key after growing pauses, and at once when it is added', async () => {
		let fails = true;
		const at: number[] = [];
		const { clock, queue, stop } = start(1, async () => {
			at.push(clock.monotonic());
			if (fails) throw new Error('not yet');
		});
		queue.add('a');
		await clock.advance(1_000);
		expect(at).toEqual([0, 80, 240, 560, 880]);
		fails = false;
		queue.add('a');
		await clock.advance(5_000);
		expect(at.slice(5)).toEqual([1_000]);
		fails = true;
		queue.add('a');
		await clock.advance(100);
		expect(at.slice(6)).toEqual([6_000, 6_080]);
		await stop();
	});

	it('keeps the earliest of several planned times', async () => {
		const at: number[] = [];
		const { clock, queue, stop } = start(1, async () => void at.push(clock.monotonic()));
		queue.addAfter('a', 500);
		queue.addAfter('a', 200);
		queue.addAfter('a', 900);
		await clock.advance(2_000);
		expect(at).toEqual([200]);
		await stop();
	});

	it('lets the handlers at work finish when it ends', async () => {
		const gate = Promise.withResolvers<void>();
		let finished = false;
		const { queue, stop } = start(1, async () => {
			await gate.promise;
			finished = true;
		});
		queue.add('a');
		queue.add('b');
		await settle();
		const stopped = stop().then(() => finished);
		gate.resolve();
		expect(await stopped).toBe(true);
	});
});
