import { CodedError } from '@tapestry/base';

/**
 * Runs one action again and again, never twice at the same time: the way to keep something as it should be when events say only that it may have
 * changed. Any number of calls of `look` while the action runs make one more run.
 */
export class Settler {
	readonly #action: (signal: AbortSignal) => Promise<void>;
	readonly #onError: (error: unknown) => void;
	readonly #abort = new AbortController();
	#asked = false;
	#failed = false;
	#working: Promise<void> = Promise.resolve();

	/** @param action is given a signal that `stop` aborts. @param onError is told of every failure but that of a stopped action. */
	constructor(action: (signal: AbortSignal) => Promise<void>, onError: (error: unknown) => void) {
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

	/** Something changed that only matters if the last run failed. */
	retry(): void {
		if (this.#failed) void this.look();
	}

	/** Ends the action under way and begins no other. */
	async stop(): Promise<void> {
		this.#abort.abort(new CodedError('ABORTED', 'the work was stopped'));
		await this.#working;
	}

	async #run(): Promise<void> {
		this.#asked = false;
		if (this.#abort.signal.aborted) return;
		try {
			await this.#action(this.#abort.signal);
			this.#failed = false;
		} catch (error) {
			this.#failed = true;
			if (!this.#abort.signal.aborted) this.#onError(error);
		}
	}
}
