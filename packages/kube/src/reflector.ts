import { type Backoff, CodedError, createBackoff, isCoded, type Signal, sleep } from '@tapestry/base';
import { type KubeDeps, type KubeObject, keyOf, type ObjectChange, type Reflector, type Resource } from './types.ts';

export interface ReflectorOptions {
	readonly resource: Resource;
	readonly namespace?: string;
	readonly labelSelector?: string;
	readonly fieldSelector?: string;
}

/** Longest pause between two attempts, in milliseconds. */
const longestPause = 10_000;

/**
 * Starts to follow a resource at once and goes on until `close`, whatever fails: the caller sees old objects meanwhile, never an error.
 * An object that was deleted and made again while no watch was open is reported as two changes.
 */
export function createReflector<T extends KubeObject>(deps: KubeDeps, options: ReflectorOptions): Reflector<T> {
	return new ListWatch<T>(deps, options);
}

class ListWatch<T extends KubeObject> implements Reflector<T> {
	readonly #deps: KubeDeps;
	readonly #options: ReflectorOptions;
	readonly #objects = new Map<string, T>();
	readonly #listeners = new Set<(change: ObjectChange<T>) => void>();
	readonly #abort = new AbortController();
	readonly #backoff: Backoff;
	readonly #firstList = Promise.withResolvers<void>();
	readonly #ended: Promise<void>;
	#version = '';

	constructor(deps: KubeDeps, options: ReflectorOptions) {
		this.#deps = { ...deps, log: deps.log.child({ resource: options.resource.plural }) };
		this.#options = options;
		this.#backoff = createBackoff(deps, { initial: 100, max: longestPause, jitter: 0.5 });
		this.#firstList.promise.catch(() => {});
		this.#ended = this.#run(this.#abort.signal);
	}

	get objects(): ReadonlyMap<string, T> {
		return this.#objects;
	}

	get resourceVersion(): string {
		return this.#version;
	}

	synced(signal?: Signal): Promise<void> {
		if (signal === undefined) return this.#firstList.promise;
		return new Promise((resolve, reject) => {
			if (signal.aborted) return reject(signal.reason);
			const onAbort = (): void => reject(signal.reason);
			signal.addEventListener('abort', onAbort, { once: true });
			this.#firstList.promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
		});
	}

	onChange(listener: (change: ObjectChange<T>) => void): () => void {
		// A wrapper of its own, so that one function registered twice is two registrations.
		const registration = (change: ObjectChange<T>): void => listener(change);
		this.#listeners.add(registration);
		return () => this.#listeners.delete(registration);
	}

	async close(): Promise<void> {
		this.#abort.abort();
		this.#listeners.clear();
		this.#firstList.reject(new CodedError('ABORTED', `the reflector of ${this.#options.resource.plural} was closed`));
		await this.#ended;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { clock, log } = this.#deps;
		let listed = false;
		while (!signal.aborted) {
			const started = clock.monotonic();
			try {
				if (!listed) await this.#list(signal);
				listed = true;
				await this.#watch(signal);
			} catch (error) {
				if (signal.aborted) return;
				// The server no longer has the history from our version on: only a new list can tell what changed.
				if (isCoded(error, 'KUBE_GONE')) listed = false;
				log.warn('list or watch failed', { error });
			}
			// A quiet watch that lasted was healthy although it brought no event.
			if (clock.monotonic() - started > longestPause) this.#backoff.reset();
			// Also after a regular end: a server that closes every watch at once must not be hammered.
			await sleep(clock, this.#backoff.next(), signal).catch(() => {});
		}
	}

	async #list(signal: Signal): Promise<void> {
		const { resource, ...selection } = this.#options;
		const list = await this.#deps.client.list<T>(resource, { ...selection, signal });
		const changes: ObjectChange<T>[] = [];
		const next = new Map(list.items.map((item) => [keyOf(item), item]));
		for (const [key, before] of this.#objects) {
			const after = next.get(key);
			if (after?.metadata.uid === before.metadata.uid) continue;
			this.#objects.delete(key);
			changes.push({ key, before, after: undefined });
		}
		for (const [key, after] of next) {
			const before = this.#objects.get(key);
			if (before !== undefined && sameVersion(before, after)) continue;
			this.#objects.set(key, after);
			changes.push({ key, before, after });
		}
		this.#version = list.resourceVersion;
		for (const change of changes) this.#emit(change);
		this.#firstList.resolve();
	}

	async #watch(signal: Signal): Promise<void> {
		const { resource, ...selection } = this.#options;
		const events = this.#deps.client.watch<T>(resource, { ...selection, signal, resourceVersion: this.#version });
		for await (const event of events) {
			if (signal.aborted) return;
			const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
			// Only progress counts: a server that repeats one bookmark and hangs up must not reset the pauses.
			if (version && version !== this.#version) {
				this.#version = version;
				this.#backoff.reset();
			}
			if (event.type !== 'BOOKMARK') this.#apply(event.type, event.object);
		}
	}

	#apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
		const key = keyOf(object);
		const before = this.#objects.get(key);
		if (type === 'DELETED') {
			if (!this.#objects.delete(key)) return;
			this.#emit({ key, before, after: undefined });
			return;
		}
		if (before !== undefined && sameVersion(before, object)) return;
		this.#objects.set(key, object);
		this.#emit({ key, before, after: object });
	}

	#emit(change: ObjectChange<T>): void {
		for (const listener of this.#listeners) {
			try {
				listener(change);
			} catch (error) {
				this.#deps.log.error('a change listener failed', { key: change.key, error });
			}
		}
	}
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
	return a.metadata.resourceVersion !== undefined && a.metadata.resourceVersion === b.metadata.resourceVersion;
}
