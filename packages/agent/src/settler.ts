import { type Clock, CodedError, createBackoff } from '@tapestry/base';

/**
 * Runs one action again and again, never twice at the same time: the way to keep something as it should be when events say only that it may have
 * changed. Any number of calls of `look` while the action runs make one more run. An action that failed is repeated, with growing pauses, until it does
 * not: the event that would bring the next run may have come while it failed, or may never come.
 */
export class Settler {
	readonly #action: (signal: AbortSignal) => Promise<void>;
	readonly #onError: (error: unknown) => void;
	readonly #clock: Pick<Clock, 'after'>;
	/** Those who repeat run in one process each: nothing is gained by chance. */
	readonly #backoff = createBackoff({ random: () => 1 }, { initial: 200 });
	readonly #abort = new AbortController();
	#asked = false;
	/** Of the next run after a failure. */
	#cancel: (() => void) | undefined;
	#working: Promise<void> = Promise.resolve();

	/** @param action is given a signal that `stop` aborts. @param onError is told of every failure but that of a stopped action. */
	constructor(
		deps: { readonly clock: Pick<Clock, 'after'> },
		action: (signal: AbortSignal) => Promise<void>,
		onError: (error: unknown) => void,
	) {
		this.#clock = deps.clock;
		this.#action = action;
		this.#onError = onError;
	}

	/** Something may have changed. Resolves when the run that takes it into account has ended, well or not. */
	look(): Promise<void> {
		if (!this.#abort.signal.aborted && !this.#asked) {
			this.#asked = true;
			this.#working = this.#working.then(() => this.#run());
		}
		return this.#working;
	}

	/** Something changed that only matters if the last run failed: it is repeated now. */
	retry(): void {
		if (this.#cancel) void this.look();
	}

	/** Ends the action under way and begins no other. */
	async stop(): Promise<void> {
		this.#abort.abort(new CodedError('ABORTED', 'the work was stopped'));
		this.#cancel?.();
		await this.#working;
	}

	async #run(): Promise<void> {
		this.#asked = false;
		this.#cancel?.();
		this.#cancel = undefined;
		if (this.#abort.signal.aborted) return;
		try {
			await this.#action(this.#abort.signal);
			this.#backoff.reset();
		} catch (error) {
			if (this.#abort.signal.aborted) return;
			this.#onError(error);
			this.#cancel = this.#clock.after(this.#backoff.next(), () => void this.look());
		}
	}
}
