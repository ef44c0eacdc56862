import type { Signal } from '@tapestry/base';

/**
 * Resolves with the first value that `check` gives: now, or after a change that `subscribe` reports. Rejects when `check` throws, and with `late()`
 * when the signal is aborted first.
 */
export function waitFor<T>(
	subscribe: (listener: () => void) => () => void,
	check: () => T | undefined,
	signal: Signal,
	late: () => Error,
): Promise<T> {
	return new Promise((resolve, reject) => {
		const settle = (act: () => void): void => {
			stop();
			signal.removeEventListener('abort', onAbort);
			act();
		};
		const onAbort = (): void => settle(() => reject(late()));
		const look = (): void => {
			try {
				const value = check();
				if (value !== undefined) settle(() => resolve(value));
			} catch (error) {
				settle(() => reject(error));
			}
		};
		const stop = subscribe(look);
		signal.addEventListener('abort', onAbort, { once: true });
		if (signal.aborted) onAbort();
		else look();
	});
}
