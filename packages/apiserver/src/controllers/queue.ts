import { type Clock, createBackoff, type Logger } from '@tapestry/base';

export interface QueueDeps {
	readonly clock: Clock;
	readonly log: Logger;
	readonly random: () => number;
}

/** Keys handled per turn of the event loop, so that requests are served in between. */
const keysPerTurn = 64;

/** Calls `handle` once for each key that was added since it was last handled, never inside `add`. Keys whose handling fails come again, later and later. */
export class WorkQueue {
	readonly #deps: QueueDeps;
	readonly #handle: (key: string) => void;
	readonly #keys = new Set<string>();
	readonly #backoff;
	#turn: NodeJS.Immediate | undefined;
	#cancelRetry = (): void => {};
	#closed = false;

	constructor(deps: QueueDeps, handle: (key: string) => void) {
		this.#deps = deps;
		this.#handle = handle;
		this.#backoff = createBackoff(deps);
	}

	add(key: string): void {
		if (this.#closed) return;
		this.#keys.add(key);
		this.#turn ??= setImmediate(() => this.#run());
	}

	close(): void {
		this.#closed = true;
		if (this.#turn) clearImmediate(this.#turn);
		this.#cancelRetry();
	}

	#run(): void {
		this.#turn = undefined;
		const failed: string[] = [];
		let left = keysPerTurn;
		for (const key of this.#keys) {
			if (left-- === 0) break;
			this.#keys.delete(key);
			try {
				this.#handle(key);
				this.#backoff.reset();
			} catch (error) {
				this.#deps.log.error('work failed, it will be tried again', { key, error });
				failed.push(key);
			}
		}
		if (this.#keys.size > 0) this.#turn ??= setImmediate(() => this.#run());
		if (failed.length > 0) this.#retry(failed);
	}

	#retry(keys: readonly string[]): void {
		const cancelEarlier = this.#cancelRetry;
		const cancel = this.#deps.clock.after(this.#backoff.next(), () => {
			for (const key of keys) this.add(key);
		});
		this.#cancelRetry = () => {
			cancelEarlier();
			cancel();
		};
	}
}
