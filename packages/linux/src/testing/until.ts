/** How long a test waits for what has to happen, in milliseconds: the machine may be loaded, but before the limit of a test, which says nothing. */
const patienceMs = 60_000;

/** The outcome of what has to happen; if it does not, the test fails with what that was. */
export async function within<T>(what: string | (() => string), happening: Promise<T>): Promise<T> {
	const late = Promise.withResolvers<never>();
	const timer = setTimeout(() => {
		late.reject(new Error(`waited ${patienceMs / 1000} s in vain for ${typeof what === 'string' ? what : what()}`));
	}, patienceMs);
	try {
		return await Promise.race([happening, late.promise]);
	} finally {
		clearTimeout(timer);
	}
}

/** Resolves when it holds: now, or after a change that `subscribe` reports. */
export async function until(
	what: string | (() => string),
	subscribe: (listener: () => void) => () => void,
	holds: () => boolean,
): Promise<void> {
	const held = Promise.withResolvers<void>();
	const look = (): void => {
		if (holds()) held.resolve();
	};
	const unsubscribe = subscribe(look);
	try {
		look();
		await within(what, held.promise);
	} finally {
		unsubscribe();
	}
}
