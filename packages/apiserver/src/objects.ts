import type { ObjectMeta } from '@tapestry/kube';

/** A stored or served object. Shared between requests, watchers and controllers, so never changed: see `draftOf`. */
export interface ApiObject {
	readonly apiVersion: string;
	readonly kind: string;
	readonly metadata: ObjectMeta;
	readonly [field: string]: unknown;
}

/** A private copy, which its holder alone may change. */
export interface Draft {
	apiVersion: string;
	kind: string;
	metadata: { -readonly [Key in keyof ObjectMeta]: ObjectMeta[Key] };
	[field: string]: unknown;
}

export function draftOf(object: ApiObject): Draft {
	return structuredClone(object) as Draft;
}

export type MutableJson = Record<string, unknown>;

export function isRecord(value: unknown): value is MutableJson {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted path (`spec.nodeName`) whose steps are all objects. */
export function valueAt(object: unknown, path: string): unknown {
	let value = object;
	for (const step of path.split('.')) {
		if (!isRecord(value)) return undefined;
		value = value[step];
	}
	return value;
}

export function stringAt(object: unknown, path: string): string | undefined {
	const value = valueAt(object, path);
	return typeof value === 'string' ? value : undefined;
}

export function recordAt(object: unknown, path: string): MutableJson | undefined {
	const value = valueAt(object, path);
	return isRecord(value) ? value : undefined;
}

/** The objects of the list at `path`; anything else in it is skipped. */
export function recordsAt(object: unknown, path: string): readonly MutableJson[] {
	const value = valueAt(object, path);
	return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The strings of the list at `path`. */
export function stringsAt(object: unknown, path: string): readonly string[] {
	const value = valueAt(object, path);
	return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** The object below `key`, made when there is none. */
export function childOf(parent: MutableJson, key: string): MutableJson {
	const value = parent[key];
	if (isRecord(value)) return value;
	const made: MutableJson = {};
	parent[key] = made;
	return made;
}

/** Fills the fields that are absent or null; an undefined default leaves them absent. */
export function fillDefaults(target: MutableJson, defaults: MutableJson): void {
	for (const [key, value] of Object.entries(defaults)) if (value !== undefined) target[key] ??= value;
}

/** `namespace/name`, or `name` for a cluster-scoped object. */
export function keyOf(meta: { readonly name: string; readonly namespace?: string | undefined }): string {
	return meta.namespace ? `${meta.namespace}/${meta.name}` : meta.name;
}
