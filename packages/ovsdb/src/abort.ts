import type { Signal } from '@tapestry/base';

/** Rejects with the signal's reason as soon as it is aborted, after calling `onAbort`; what `promise` waits for goes on. */
export function abortable<T>(promise: Promise<T>, signal: Signal | undefined, onAbort?: () => void): Promise<T> {
	if (!signal) return promise;
	return new Promise((resolve, reject) => {
		const abort = (): void => {
			onAbort?.();
			reject(signal.reason);
		};
		signal.addEventListener('abort', abort, { once: true });
		if (signal.aborted) abort();
		promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
	});
}
