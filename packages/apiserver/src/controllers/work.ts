import { setImmediate } from 'node:timers/promises';
import type { Clock, Logger } from '@tapestry/base';
import { createWorkQueue } from '@tapestry/kube';

export interface WorkDeps {
	readonly clock: Clock;
	readonly log: Logger;
	readonly random: () => number;
}

export interface Work {
	/** `handle` will be called with the key, never inside `add`. */
	add(key: string): void;
	close(): void;
}

/** Keys handled per turn of the event loop, so that requests are served in between. */
const keysPerTurn = 32;

/** Handles each key that was added since it was last handled; one that fails comes again, later and later. */
export function startWork(deps: WorkDeps, handle: (key: string) => void): Work {
	const queue = createWorkQueue(deps);
	const abort = new AbortController();
	let handled = 0;
	const run = async (key: string): Promise<void> => {
		if (handled++ % keysPerTurn === 0) await setImmediate();
		if (!abort.signal.aborted) handle(key);
	};
	void queue.run(1, run, abort.signal);
	return { add: (key) => queue.add(key), close: () => abort.abort() };
}
