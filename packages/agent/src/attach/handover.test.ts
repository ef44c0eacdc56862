import { expect, it, vi } from 'vitest';
import { createFakeClock } from '../../../kube/src/testing/fake-clock.ts';
import { Handover } from './handover.ts';

it('has one look again ever later, and then no more', async () => {
	const clock = createFakeClock();
	const looks: number[] = [];
	const handover = new Handover(clock, () => {
		looks.push(clock.now());
		if (handover.waitsNoMore()) looks.push(Number.NaN);
	});
	expect(handover.waitsNoMore()).toBe(false);
	// Whoever looks meanwhile changes nothing.
	expect(handover.waitsNoMore()).toBe(false);
	await clock.advance(60_000);
	expect(looks.slice(0, 4)).toEqual([10, 30, 70, 150]);
	expect(looks.at(-1)).toBeNaN();
	expect(looks.at(-2)).toBeGreaterThanOrEqual(10_000);
	expect(looks.length).toBeLessThan(20);
	expect(handover.waitsNoMore()).toBe(true);
});

it('forgets what was waited when it is over', async () => {
	const clock = createFakeClock();
	const look = vi.fn();
	const handover = new Handover(clock, look);
	handover.waitsNoMore();
	handover.reset();
	await clock.advance(60_000);
	expect(look).not.toHaveBeenCalled();
	handover.waitsNoMore();
	await clock.advance(10);
	expect(look).toHaveBeenCalledTimes(1);
});
