import { type ApiObject, type Draft, draftOf } from '../objects.ts';
import type { RestContext } from './context.ts';
import { isReleased } from './update.ts';

/**
 * A change by the server's own controllers to what it keeps in an object (finalizers, owners): no validation, and no version's
 * schema, so that an object which today's rules refuse can still be finalized.
 */
export function amendObject(context: RestContext, resource: string, object: ApiObject, change: (draft: Draft) => void): void {
	const { namespace = '', name } = object.metadata;
	const draft = draftOf(object);
	change(draft);
	if (isReleased(draft)) context.store.remove(resource, namespace, name);
	else context.store.put(resource, draft);
}

/** Leaves the list out when it becomes empty. */
export function dropFinalizer(draft: Draft, finalizer: string): void {
	const left = (draft.metadata.finalizers ?? []).filter((name) => name !== finalizer);
	if (left.length > 0) draft.metadata.finalizers = left;
	else delete draft.metadata.finalizers;
}
