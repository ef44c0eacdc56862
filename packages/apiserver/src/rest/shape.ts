import type { ApiObject } from '../objects.ts';
import type { Endpoint } from '../registry/kind.ts';
import type { FieldError } from '../schema/index.ts';

/** What the endpoint's schema, if it has one, finds wrong. */
export function validateShape({ schema }: Endpoint, object: ApiObject): readonly FieldError[] {
	return schema?.compiled.validate(withoutServerFields(object)) ?? [];
}

/** Schemas describe what users write; the server's own metadata is correct by construction. */
function withoutServerFields(object: ApiObject): object {
	const { name, labels, annotations } = object.metadata;
	return { ...object, metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } };
}
