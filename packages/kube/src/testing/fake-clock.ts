import type { Clock } from '@tapestry/base';

/** A clock that only moves when told. */
export interface FakeClock extends Clock {
	/** Moves on by `ms`, runs what falls due in order, and lets promises settle after each callback. */
	advance(ms: number): Promise<void>;
	/** Milliseconds until the next callback, or undefined. */
	nextIn(): number | undefined;
}

export function createFakeClock(start = 0): FakeClock {
	let time = start;
	const timers = new Map<symbol, { readonly at: number; readonly callback: () => void }>();
	const next = () => [...timers].sort((a, b) => a[1].at - b[1].at)[0];
	return {
		now: () => time,
		monotonic: () => time,
		after(ms, callback) {
			const id = Symbol();
			timers.set(id, { at: time + ms, callback });
			return () => timers.delete(id);
		},
		nextIn() {
			const due = next();
			return due && due[1].at - time;
		},
		async advance(ms) {
			const end = time + ms;
			await settle();
			for (let due = next(); due && due[1].at <= end; due = next()) {
				timers.delete(due[0]);
				time = Math.max(time, due[1].at);
				due[1].callback();
				await settle();
			}
			time = end;
		},
	};
}

/** Lets everything that only waits on promises run. */
export function settle(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
