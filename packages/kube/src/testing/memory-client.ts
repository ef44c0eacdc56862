import { CodedError, type Signal } from '@tapestry/base';
import { type KubeClient, type KubeObject, keyOf, type ListOptions, type ObjectName, type Resource, type WatchEvent } from '../types.ts';

export interface MemoryApi {
	/** A client of the API; `around` may delay a request, lose it, or lose its answer by throwing before or after calling `next`. */
	client(around?: <T>(verb: string, next: () => T, signal?: Signal) => Promise<T>): KubeClient;
	/** The object now, without a request. */
	read(resource: Resource, name: ObjectName): KubeObject | undefined;
	all(resource: Resource): readonly KubeObject[];
}

type Write = { readonly plural: string; readonly version: number; readonly event: WatchEvent<KubeObject> };

/** Just enough of an API server for tests with a fake clock: versions, conflicts and watches, no schemas and no history limit. */
export function createMemoryApi(): MemoryApi {
	const objects = new Map<string, KubeObject>();
	const log: Write[] = [];
	const watchers = new Set<() => void>();
	let version = 0;
	const id = (resource: Resource, name: ObjectName): string => `${resource.plural}/${keyOf({ metadata: name })}`;

	function write(resource: Resource, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): KubeObject {
		version += 1;
		const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
		if (type === 'DELETED') objects.delete(id(resource, object.metadata));
		else objects.set(id(resource, object.metadata), stored);
		log.push({ plural: resource.plural, version, event: { type, object: stored } });
		for (const wake of watchers) wake();
		return stored;
	}

	function existing(resource: Resource, name: ObjectName): KubeObject {
		const object = objects.get(id(resource, name));
		if (object === undefined) throw new CodedError('KUBE_NOT_FOUND', `${id(resource, name)} not found`);
		return object;
	}

	function update(resource: Resource, before: KubeObject, after: KubeObject): KubeObject {
		const wanted = after.metadata.resourceVersion;
		if (wanted !== undefined && wanted !== before.metadata.resourceVersion) {
			throw new CodedError('KUBE_CONFLICT', `${id(resource, before.metadata)} has changed`);
		}
		return write(resource, 'MODIFIED', after);
	}

	const listOf = (resource: Resource): KubeObject[] =>
		[...objects].filter(([key]) => key.startsWith(`${resource.plural}/`)).map(([, object]) => object);

	async function* watch(resource: Resource, options: ListOptions & { readonly resourceVersion: string }) {
		let seen = Number(options.resourceVersion);
		for (;;) {
			if (options.signal?.aborted) throw options.signal.reason;
			const next = log.find((entry) => entry.plural === resource.plural && entry.version > seen);
			if (next !== undefined) {
				seen = next.version;
				yield next.event;
				continue;
			}
			const changed = Promise.withResolvers<void>();
			watchers.add(changed.resolve);
			options.signal?.addEventListener('abort', changed.resolve, { once: true });
			await changed.promise;
			watchers.delete(changed.resolve);
		}
	}

	return {
		read: (resource, name) => objects.get(id(resource, name)),
		all: listOf,
		client(around = async (_verb, next) => next()) {
			const client = {
				get: (resource: Resource, name: ObjectName, options?: { readonly signal?: Signal }) =>
					around('get', () => existing(resource, name), options?.signal),
				list: (resource: Resource, options?: ListOptions) =>
					around('list', () => ({ resourceVersion: String(version), items: listOf(resource) }), options?.signal),
				create: (resource: Resource, object: KubeObject, options?: { readonly signal?: Signal }) =>
					around(
						'create',
						() => {
							if (objects.has(id(resource, object.metadata))) throw new CodedError('KUBE_EXISTS', 'exists');
							const uid = `uid-${version + 1}`;
							return write(resource, 'ADDED', { ...object, metadata: { uid, ...object.metadata } });
						},
						options?.signal,
					),
				replace: (resource: Resource, object: KubeObject, options?: { readonly signal?: Signal }) =>
					around('replace', () => update(resource, existing(resource, object.metadata), object), options?.signal),
				patch: (resource: Resource, name: ObjectName, _type: string, body: object, options?: { readonly signal?: Signal }) =>
					around(
						'patch',
						() => {
							const before = existing(resource, name);
							return update(resource, before, merge(before, body) as KubeObject);
						},
						options?.signal,
					),
				remove: (resource: Resource, name: ObjectName, options?: { readonly signal?: Signal }) =>
					around('remove', () => void write(resource, 'DELETED', existing(resource, name)), options?.signal),
				watch,
			};
			return client as unknown as KubeClient;
		},
	};
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
	if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
	const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) delete result[key];
		else result[key] = merge(result[key], value);
	}
	return result;
}
