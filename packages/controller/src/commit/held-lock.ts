import type { Signal } from '@tapestry/base';
import type { Session } from '@tapestry/ovsdb';

/** Name of the OVSDB lock (RFC 7047 section 4.1.8) whose holder alone writes our rows. */
export const lockName = 'tapestry';

/** The lock, and waiting for it: it is lost with the connection, and another controller may have it for a moment longer. */
export interface HeldLock extends AsyncDisposable {
	/** Resolves when we have the lock. */
	held(signal: Signal): Promise<void>;
}

export function requestLock(session: Session): HeldLock {
	let gained = Promise.withResolvers<void>();
	const lock = session.lock(lockName, (held) => {
		if (held) gained.resolve();
		else gained = Promise.withResolvers();
	});
	return {
		held(signal) {
			return new Promise((resolve, reject) => {
				if (signal.aborted) return reject(signal.reason);
				const onAbort = (): void => reject(signal.reason);
				signal.addEventListener('abort', onAbort, { once: true });
				gained.promise.then(() => {
					signal.removeEventListener('abort', onAbort);
					resolve();
				}, reject);
			});
		},
		[Symbol.asyncDispose]: () => lock.release(),
	};
}
