import { CodedError, type Logger } from '@tapestry/base';
import type { ApiObject } from '../objects.ts';
import { type Change, History } from './history.ts';
import { ChangeLog, type LogRecord } from './log.ts';

export interface StoreOptions {
	readonly directory: string;
	/** Changes kept per resource for watches that resume. @default 2048 */
	readonly historyLimit?: number;
	/** Size of the log, in bytes, at which it is replaced by a snapshot. @default 67108864 */
	readonly compactBytes?: number;
}

type Namespaces = Map<string, Map<string, ApiObject>>;

/**
 * All objects, in memory; the log on disk is written first. Every operation is synchronous: what a caller reads and then writes in
 * one turn of the event loop is atomic, and no listener sees a change that is not in the log. Listeners must not write, for then the
 * others would see changes out of order.
 *
 * A resource is named `plural` or `plural.group`; cluster-scoped objects have the namespace ''.
 */
export class Store {
	readonly #objects = new Map<string, Namespaces>();
	readonly #histories = new Map<string, History>();
	readonly #listeners = new Map<string, Set<(change: Change) => void>>();
	readonly #everything = new Set<(change: Change) => void>();
	readonly #historyLimit: number;
	readonly #compactBytes: number;
	readonly #log: ChangeLog;
	readonly #logger: Logger;
	/** History before this resourceVersion was compacted away before the process started. */
	#floor = 0;
	#rv = 0;

	constructor(deps: { readonly log: Logger }, options: StoreOptions) {
		this.#logger = deps.log;
		this.#historyLimit = options.historyLimit ?? 2048;
		this.#compactBytes = options.compactBytes ?? 64 << 20;
		this.#log = ChangeLog.open(options.directory, {
			base: (rv) => {
				this.#floor = rv;
				this.#rv = rv;
			},
			restore: (record) => this.#apply(record),
			// Replay fills the histories too: watches resume across a restart.
			replay: (record) => this.#historyOf(record.resource).push(this.#apply(record)),
		});
	}

	/** The resourceVersion of the newest change of any resource. */
	get resourceVersion(): number {
		return this.#rv;
	}

	get(resource: string, namespace: string, name: string): ApiObject | undefined {
		return this.#objects.get(resource)?.get(namespace)?.get(name);
	}

	/** Ordered by namespace and name, as etcd would. */
	list(resource: string, namespace?: string): ApiObject[] {
		const namespaces = this.#objects.get(resource);
		if (!namespaces) return [];
		const keys = namespace === undefined ? [...namespaces.keys()].sort() : [namespace];
		return keys.flatMap((key) => {
			const objects = [...(namespaces.get(key)?.values() ?? [])];
			return objects.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
		});
	}

	/** Objects of a resource (in one namespace, if given), without ordering or copying them. */
	*scan(resource: string, namespace?: string): Iterable<ApiObject> {
		const namespaces = this.#objects.get(resource);
		if (namespace !== undefined) yield* namespaces?.get(namespace)?.values() ?? [];
		else for (const objects of namespaces?.values() ?? []) yield* objects.values();
	}

	/** The names of all resources that hold an object or once did. */
	resources(): readonly string[] {
		return [...this.#objects.keys()];
	}

	/** Stores `object` under its name with the next resourceVersion, and returns it so. */
	put(resource: string, object: ApiObject): ApiObject {
		const rv = this.#rv + 1;
		const stored: ApiObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } };
		this.#commit({ rv, resource, object: stored });
		return stored;
	}

	/** Returns the last state with the resourceVersion of the removal; undefined when there was none. */
	remove(resource: string, namespace: string, name: string): ApiObject | undefined {
		if (!this.get(resource, namespace, name)) return undefined;
		return this.#commit({ rv: this.#rv + 1, resource, removed: { namespace, name } }).object;
	}

	/** The changes of a resource after `rv`; undefined when they are no longer known, or `rv` comes from another store's future. */
	changesSince(resource: string, rv: number): readonly Change[] | undefined {
		return rv > this.#rv ? undefined : this.#historyOf(resource).since(rv);
	}

	/** Calls `listener` for each change of `resource`, or of every resource, in order and after it is stored. Returns the way out. */
	subscribe(resource: string | undefined, listener: (change: Change) => void): () => void {
		const listeners = resource === undefined ? this.#everything : entry(this.#listeners, resource, () => new Set());
		listeners.add(listener);
		return () => listeners.delete(listener);
	}

	close(): void {
		this.#log.close();
	}

	#commit(record: LogRecord): Change {
		this.#log.append(JSON.stringify(record));
		const change = this.#apply(record);
		this.#historyOf(record.resource).push(change);
		for (const listener of this.#listeners.get(record.resource) ?? []) listener(change);
		for (const listener of this.#everything) listener(change);
		if (this.#log.bytes > this.#compactBytes) this.#compact();
		return change;
	}

	/** A failure costs nothing but disk space: the older files stay and are read back in order. */
	#compact(): void {
		try {
			this.#log.compact(this.#rv, this.#records());
		} catch (error) {
			this.#logger.error('cannot write a snapshot', { error });
		}
	}

	#apply(record: LogRecord): Change {
		const { rv, resource } = record;
		const namespaces = entry(this.#objects, resource, () => new Map());
		this.#rv = Math.max(this.#rv, rv);
		if ('object' in record) {
			const objects = entry(namespaces, record.object.metadata.namespace ?? '', () => new Map());
			const { name } = record.object.metadata;
			const before = objects.get(name);
			objects.set(name, record.object);
			return { rv, resource, type: before ? 'MODIFIED' : 'ADDED', before, object: record.object };
		}
		const { namespace, name } = record.removed;
		const objects = namespaces.get(namespace);
		const before = objects?.get(name);
		if (!objects || !before)
			throw new CodedError('STORAGE_CORRUPT', `the log removes ${resource} ${namespace}/${name}, which it never stored`);
		objects.delete(name);
		if (objects.size === 0) namespaces.delete(namespace);
		const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(rv) } };
		return { rv, resource, type: 'DELETED', before, object };
	}

	*#records(): Iterable<LogRecord> {
		for (const resource of this.#objects.keys()) {
			for (const object of this.scan(resource)) yield { rv: Number(object.metadata.resourceVersion), resource, object };
		}
	}

	#historyOf(resource: string): History {
		return entry(this.#histories, resource, () => new History(this.#floor, this.#historyLimit));
	}
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
	const found = map.get(key);
	if (found !== undefined) return found;
	const made = make();
	map.set(key, made);
	return made;
}
