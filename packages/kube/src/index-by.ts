import type { KubeObject, ObjectChange, Reflector } from './types.ts';

/** Objects of a reflector by a derived key. */
export interface Index<T> extends Disposable {
	/** The objects with this key now, in no particular order. */
	get(key: string): Iterable<T>;
}

/** Follows `reflector`; an object is found under each key that `keysOf` returns. Listeners registered later see an up-to-date index. */
export function createIndex<T extends KubeObject>(reflector: Reflector<T>, keysOf: (object: T) => readonly string[]): Index<T> {
	const byKey = new Map<string, Map<string, T>>();
	const apply = ({ key, before, after }: ObjectChange<T>): void => {
		for (const name of before === undefined ? [] : keysOf(before)) {
			const entries = byKey.get(name);
			entries?.delete(key);
			if (entries?.size === 0) byKey.delete(name);
		}
		for (const name of after === undefined ? [] : keysOf(after)) {
			const entries = byKey.get(name) ?? new Map<string, T>();
			byKey.set(name, entries.set(key, after as T));
		}
	};
	for (const [key, object] of reflector.objects) apply({ key, before: undefined, after: object });
	const stop = reflector.onChange(apply);
	return { get: (key) => byKey.get(key)?.values() ?? [], [Symbol.dispose]: stop };
}
