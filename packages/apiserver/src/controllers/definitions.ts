import type { ApiObject } from '../objects.ts';
import { crdFinalizer, crdResource, isEstablished, kindOfDefinition } from '../registry/crd.ts';
import type { RestContext } from '../rest/context.ts';
import { amendObject, dropFinalizer } from '../rest/metadata.ts';
import { removeObject } from '../rest/remove.ts';
import { updateObject } from '../rest/update.ts';
import { startWork, type WorkDeps } from './work.ts';

/** Serves the kinds that CustomResourceDefinitions define from the moment they are stored. Returns the way out. */
export function followDefinitions({ store, registry }: RestContext): () => void {
	const known = new Map<string, string>();
	const follow = (definition: ApiObject): void => {
		const { name, uid, generation } = definition.metadata;
		// A change of status or metadata compiles no schemas.
		const revision = `${uid} ${generation}`;
		if (!isEstablished(definition)) forget(name);
		else if (known.get(name) !== revision) {
			known.set(name, revision);
			registry.set(kindOfDefinition(definition));
		}
	};
	const forget = (name: string): void => {
		if (known.delete(name)) registry.delete(name);
	};
	for (const definition of store.scan(crdResource)) follow(definition);
	return store.subscribe(crdResource, ({ type, object }) => (type === 'DELETED' ? forget(object.metadata.name) : follow(object)));
}

/** Deletes the objects of a deleted definition, then the definition; accepts names that became free. Returns the way out. */
export function startDefinitions(deps: WorkDeps, context: RestContext): () => void {
	const { store, registry } = context;
	const queue = startWork(deps, (name) => {
		const definition = store.get(crdResource, '', name);
		if (definition?.metadata.deletionTimestamp) finalize(context, definition);
		else if (definition && !isEstablished(definition)) reconsider(context, name);
	});
	const unsubscribe = store.subscribe(undefined, ({ type, resource, object }) => {
		if (resource === crdResource) {
			queue.add(object.metadata.name);
			if (type !== 'DELETED') return;
			for (const other of store.scan(crdResource)) queue.add(other.metadata.name);
		} else if (type === 'DELETED' && registry.kind(resource)?.custom) queue.add(resource);
	});
	for (const definition of store.scan(crdResource)) queue.add(definition.metadata.name);
	return () => {
		unsubscribe();
		queue.close();
	};
}

function finalize(context: RestContext, definition: ApiObject): void {
	const { store, registry } = context;
	const { name } = definition.metadata;
	const endpoint = registry.endpointOf(name);
	// Objects with finalizers stay for now; the last one's removal brings us back.
	const objects = endpoint ? [...store.scan(name)] : [];
	for (const { metadata } of objects) {
		const leaving = metadata.deletionTimestamp !== undefined;
		if (endpoint && !leaving) removeObject(context, { endpoint, namespace: metadata.namespace ?? '', name: metadata.name });
	}
	const left = store.scan(name)[Symbol.iterator]().next();
	if (left.done && definition.metadata.finalizers?.includes(crdFinalizer)) {
		amendObject(context, crdResource, definition, (draft) => dropFinalizer(draft, crdFinalizer));
	}
}

/** An update without a change recomputes the conditions. */
function reconsider(context: RestContext, name: string): void {
	const endpoint = context.registry.endpointOf(crdResource);
	if (endpoint) updateObject(context, { endpoint, namespace: '', name }, (served) => served);
}
