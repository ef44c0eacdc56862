export interface BackoffOptions {
	/** First delay in milliseconds. @default 50 */
	readonly initial?: number;
	/** Longest delay in milliseconds. @default 30000 */
	readonly max?: number;
	/** @default 2 */
	readonly factor?: number;
	/** Share of each delay that is random, 0..1. @default 0.2 */
	readonly jitter?: number;
}

export interface Backoff {
	/** The next delay in milliseconds. */
	next(): number;
	/** Starts over; call it after a success. */
	reset(): void;
}

/** Exponential delays. `random` returns a number in [0, 1). */
export function createBackoff(deps: { readonly random: () => number }, options: BackoffOptions = {}): Backoff {
	const { initial = 50, max = 30_000, factor = 2, jitter = 0.2 } = options;
	let delay = initial;
	return {
		next() {
			const base = delay;
			delay = Math.min(max, delay * factor);
			return base * (1 - jitter) + base * jitter * deps.random();
		},
		reset() {
			delay = initial;
		},
	};
}
