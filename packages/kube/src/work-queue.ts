import { type Backoff, type Clock, createBackoff, type Logger, type Signal } from '@tapestry/base';

export interface WorkQueueDeps {
	readonly clock: Clock;
	/** A number in [0, 1). */
	readonly random: () => number;
	readonly log: Logger;
}

export interface WorkQueueOptions {
	/** First pause of a key whose handler failed, in milliseconds; doubles with each further failure. @default 100 */
	readonly initial?: number;
	/** Longest pause of a failing key. @default 30000 */
	readonly max?: number;
}

/**
 * Keys to work on. Level-triggered: a key added many times before its turn is handled once, and a key added while it is being handled is
 * handled once more afterwards, never twice at the same time.
 */
export interface WorkQueue {
	add(key: string): void;
	/** Adds the key after `ms`, unless an earlier time is already set for it. */
	addAfter(key: string, ms: number): void;
	/**
	 * Handles keys until the signal is aborted, then waits for the handlers at work. A handler that fails is logged and repeated after the
	 * key's own, growing pause; a success resets it; `add` meanwhile handles the key at once.
	 */
	run(concurrency: number, handler: (key: string, signal: Signal) => Promise<void>, signal: Signal): Promise<void>;
}

export function createWorkQueue(deps: WorkQueueDeps, options: WorkQueueOptions = {}): WorkQueue {
	return new KeyQueue(deps, options);
}

class KeyQueue implements WorkQueue {
	readonly #deps: WorkQueueDeps;
	readonly #backoff: { readonly initial: number; readonly max: number };
	/** In the order of arrival. */
	readonly #ready = new Set<string>();
	readonly #working = new Set<string>();
	readonly #addedAtWork = new Set<string>();
	readonly #later = new Map<string, { readonly at: number; readonly cancel: () => void }>();
	readonly #failing = new Map<string, Backoff>();
	readonly #idle: (() => void)[] = [];

	constructor(deps: WorkQueueDeps, options: WorkQueueOptions) {
		this.#deps = deps;
		this.#backoff = { initial: options.initial ?? 100, max: options.max ?? 30_000 };
	}

	add(key: string): void {
		this.#later.get(key)?.cancel();
		this.#later.delete(key);
		if (this.#working.has(key)) {
			this.#addedAtWork.add(key);
			return;
		}
		this.#ready.add(key);
		this.#idle.shift()?.();
	}

	addAfter(key: string, ms: number): void {
		const at = this.#deps.clock.monotonic() + ms;
		const planned = this.#later.get(key);
		if (this.#ready.has(key) || (planned && planned.at <= at)) return;
		planned?.cancel();
		this.#later.set(key, { at, cancel: this.#deps.clock.after(ms, () => this.add(key)) });
	}

	async run(concurrency: number, handler: (key: string, signal: Signal) => Promise<void>, signal: Signal): Promise<void> {
		const wakeAll = (): void => {
			for (const wake of this.#idle.splice(0)) wake();
		};
		signal.addEventListener('abort', wakeAll, { once: true });
		try {
			await Promise.all(Array.from({ length: concurrency }, () => this.#work(handler, signal)));
		} finally {
			signal.removeEventListener('abort', wakeAll);
			for (const { cancel } of this.#later.values()) cancel();
			this.#later.clear();
		}
	}

	async #work(handler: (key: string, signal: Signal) => Promise<void>, signal: Signal): Promise<void> {
		while (!signal.aborted) {
			const [key] = this.#ready;
			if (key === undefined) {
				await new Promise<void>((resolve) => this.#idle.push(resolve));
				continue;
			}
			this.#ready.delete(key);
			this.#working.add(key);
			try {
				await handler(key, signal);
				this.#failing.delete(key);
			} catch (error) {
				if (!signal.aborted) this.#failed(key, error);
			}
			this.#working.delete(key);
			if (this.#addedAtWork.delete(key)) this.add(key);
		}
	}

	#failed(key: string, error: unknown): void {
		const backoff = this.#failing.get(key) ?? createBackoff(this.#deps, this.#backoff);
		this.#failing.set(key, backoff);
		const pause = backoff.next();
		this.#deps.log.warn('work failed, will be repeated', { key, pauseMs: Math.round(pause), error });
		this.addAfter(key, pause);
	}
}
