/** In milliseconds: the machine may be loaded, but before the limit of a test, which says nothing. */
const patience = 60_000;

/** What the message of a failure says was awaited; a function is asked when it comes to that. */
type What = string | (() => string);

/** The outcome of what has to happen; if it does not, the test fails with what that was. */
export async function within<T>(what: What, happening: Promise<T>, patienceMs: number = patience): Promise<T> {
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

/** For what takes a signal: it is aborted when one has waited in vain. */
export const patiently = (): AbortSignal => AbortSignal.timeout(patience);

/** Calls back after each change until it is told to stop. */
export type Subscribe = (listener: () => void) => () => void;

/** Resolves with what `find` gives that is neither undefined nor false: now, or after a change. */
export async function until<T>(what: What, subscribe: Subscribe, find: () => T | undefined | false, patienceMs?: number): Promise<T> {
	const found = Promise.withResolvers<T>();
	const look = (): void => {
		try {
			const value = find();
			if (value !== undefined && value !== false) found.resolve(value);
		} catch (error) {
			found.reject(error);
		}
	};
	const unsubscribe = subscribe(look);
	try {
		look();
		return await within(what, found.promise, patienceMs);
	} finally {
		unsubscribe();
	}
}

/** Any change of any of these. */
export function changesOf(...sources: readonly { onChange(listener: () => void): () => void }[]): Subscribe {
	return (listener) => {
		const stops = sources.map((source) => source.onChange(listener));
		return () => {
			for (const stop of stops) stop();
		};
	};
}
