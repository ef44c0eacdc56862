import type { Clock, Logger, ObjectMeta, Resource, Signal } from '@tapestry/base';

export type { ObjectMeta, OwnerReference, Resource } from '@tapestry/base';

/** Any Kubernetes object. Narrow `spec` and `status` with the type of the kind. */
export interface KubeObject<Spec = unknown, Status = unknown> {
	readonly apiVersion?: string;
	readonly kind?: string;
	readonly metadata: ObjectMeta;
	readonly spec?: Spec;
	readonly status?: Status;
}

export interface ObjectName {
	readonly name: string;
	readonly namespace?: string;
}

export type PatchType = 'application/json-patch+json' | 'application/merge-patch+json' | 'application/strategic-merge-patch+json';

export interface RequestOptions {
	readonly signal?: Signal;
	/** For example `status` or `binding`. */
	readonly subresource?: string;
}

export interface ListOptions {
	readonly namespace?: string;
	readonly labelSelector?: string;
	readonly fieldSelector?: string;
	readonly signal?: Signal;
}

export interface ObjectList<T> {
	readonly resourceVersion: string;
	readonly items: readonly T[];
}

export type WatchEvent<T> =
	| { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
	| { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/**
 * A Kubernetes API client. Failures are CodedErrors KUBE_NOT_FOUND, KUBE_CONFLICT (stale resourceVersion), KUBE_EXISTS, KUBE_INVALID,
 * KUBE_GONE (410), KUBE_FORBIDDEN, KUBE_UNAVAILABLE (no answer), KUBE_STATUS (any other); `details.status` is the Status object.
 */
export interface KubeClient {
	get<T extends KubeObject>(resource: Resource, name: ObjectName, options?: RequestOptions): Promise<T>;
	list<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<ObjectList<T>>;
	create<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T>;
	/** A full replacement; carries `metadata.resourceVersion` as the precondition when the object has one. */
	replace<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T>;
	patch<T extends KubeObject>(resource: Resource, name: ObjectName, type: PatchType, body: unknown, options?: RequestOptions): Promise<T>;
	remove(
		resource: Resource,
		name: ObjectName,
		options?: RequestOptions & {
			readonly uid?: string;
			readonly resourceVersion?: string;
			readonly gracePeriodSeconds?: number;
			readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
		},
	): Promise<void>;
	/** One watch connection, from a resourceVersion; ends when the server ends it. */
	watch<T extends KubeObject>(
		resource: Resource,
		options: ListOptions & { readonly resourceVersion: string },
	): AsyncIterable<WatchEvent<T>>;
}

/** What everything needs that works on Kubernetes objects. */
export interface KubeDeps {
	readonly client: KubeClient;
	readonly clock: Clock;
	/** A number in [0, 1). */
	readonly random: () => number;
	readonly log: Logger;
}

/** A live copy of one resource, by list and watch, that survives disconnects, 410 and server restarts. */
export interface Reflector<T extends KubeObject = KubeObject> extends AsyncDisposable {
	/** By `namespace/name`, or `name` for cluster-scoped objects. */
	readonly objects: ReadonlyMap<string, T>;
	/** Resolves when the first list is in. */
	synced(signal?: Signal): Promise<void>;
	/** Called after each change is in `objects`. After a relist, one call per difference, deletions included. */
	onChange(listener: (change: ObjectChange<T>) => void): () => void;
	/** The newest resourceVersion that `objects` reflects. */
	readonly resourceVersion: string;
	close(): Promise<void>;
}

export interface ObjectChange<T> {
	readonly key: string;
	readonly before: T | undefined;
	readonly after: T | undefined;
}

/** `namespace/name`, or `name` where there is no namespace. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
	const { name, namespace } = object.metadata;
	return namespace ? `${namespace}/${name}` : name;
}
