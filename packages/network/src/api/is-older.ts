import type { ObjectMeta } from '@tapestry/base';

interface Aged {
	readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'creationTimestamp'>;
}

/** By creation, then by name; an object that is not stored yet is the youngest. */
export function isOlder({ metadata: a }: Aged, { metadata: b }: Aged): boolean {
	if (a.creationTimestamp === b.creationTimestamp) return `${a.namespace ?? ''}/${a.name}` < `${b.namespace ?? ''}/${b.name}`;
	if (a.creationTimestamp === undefined || b.creationTimestamp === undefined) return a.creationTimestamp !== undefined;
	return a.creationTimestamp < b.creationTimestamp;
}
