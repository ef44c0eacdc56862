import type { Signal } from '@tapestry/base';
import { abortable } from './abort.ts';

/** A value that comes and goes, and can be waited for. */
export class Gate<T> {
	#value: T | undefined;
	#opened = Promise.withResolvers<T>();

	get value(): T | undefined {
		return this.#value;
	}

	open(value: T): void {
		this.shut();
		this.#value = value;
		this.#opened.resolve(value);
	}

	/** False when it was shut already. */
	shut(): boolean {
		if (this.#value === undefined) return false;
		this.#value = undefined;
		this.#opened = Promise.withResolvers();
		return true;
	}

	/** Shuts for good: all who wait and will wait get `error`. */
	fail(error: Error): void {
		this.shut();
		this.#opened.reject(error);
		// Nobody may be waiting; that is no unhandled rejection.
		this.#opened.promise.catch(() => {});
	}

	wait(signal?: Signal): Promise<T> {
		return abortable(this.#opened.promise, signal);
	}
}
