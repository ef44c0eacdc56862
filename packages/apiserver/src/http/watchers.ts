import type { Registry } from '../registry/registry.ts';
import { EventEncoder, type WatchDeps } from './watch.ts';

export interface Watchers extends Pick<WatchDeps, 'encoder' | 'register'> {
	/** Ends all watches. */
	end(): void;
}

/** The open watches. Those of a kind end when its definition goes or changes, so that clients come back for what it is now. */
export function createWatchers(registry: Registry): Watchers {
	const ends = new Map<() => void, string>();
	const endAll = (of: (resource: string) => boolean): void => {
		for (const [end, resource] of [...ends]) if (of(resource)) end();
	};
	registry.onChange((changed) => endAll((resource) => resource === changed));
	return {
		encoder: new EventEncoder(),
		register(resource, end) {
			ends.set(end, resource);
			return () => ends.delete(end);
		},
		end: () => endAll(() => true),
	};
}
