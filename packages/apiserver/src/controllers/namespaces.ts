import { type ApiObject, childOf, stringsAt } from '../objects.ts';
import type { RestContext } from '../rest/context.ts';
import { createObject } from '../rest/create.ts';
import { amendObject } from '../rest/metadata.ts';
import { removeObject } from '../rest/remove.ts';
import { startWork, type WorkDeps } from './work.ts';

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Holds a namespace until its contents are gone. */
const ownFinalizer = 'kubernetes';

/**
 * Creates the system's namespaces, gives each namespace its ServiceAccount `default`, and empties and finalizes deleted ones.
 * Returns the way out.
 */
export function startNamespaces(deps: WorkDeps, context: RestContext): () => void {
	const { store } = context;
	const queue = startWork(deps, (name) => {
		const namespace = store.get('namespaces', '', name);
		if (namespace?.metadata.deletionTimestamp) empty(context, namespace);
		else if (namespace) ensure(context, 'serviceaccounts', name, 'default');
	});
	const unsubscribe = store.subscribe(undefined, ({ type, resource, object }) => {
		const { name, namespace } = object.metadata;
		if (resource === 'namespaces') queue.add(name);
		else if (type === 'DELETED' && namespace && (resource === 'serviceaccounts' || isTerminating(context, namespace))) queue.add(namespace);
	});
	for (const name of systemNamespaces) ensure(context, 'namespaces', '', name);
	for (const namespace of store.scan('namespaces')) queue.add(namespace.metadata.name);
	return () => {
		unsubscribe();
		queue.close();
	};
}

function isTerminating({ store }: RestContext, name: string): boolean {
	return store.get('namespaces', '', name)?.metadata.deletionTimestamp !== undefined;
}

function ensure(context: RestContext, resource: string, namespace: string, name: string): void {
	const endpoint = context.registry.endpointOf(resource);
	if (!endpoint || context.store.get(resource, namespace, name)) return;
	createObject(context, { endpoint, namespace }, { apiVersion: 'v1', kind: endpoint.kind.kind, metadata: { name } });
}

/** Deletes what is in the namespace; what has finalizers or a grace period brings us back when it is gone. */
function empty(context: RestContext, namespace: ApiObject): void {
	const { store, registry } = context;
	const { name } = namespace.metadata;
	let held = false;
	for (const kind of registry.kinds()) {
		const endpoint = kind.namespaced ? registry.endpointOf(kind.resource) : undefined;
		if (!endpoint) continue;
		for (const { metadata } of [...store.scan(kind.resource, name)]) {
			if (metadata.deletionTimestamp || !removeObject(context, { endpoint, namespace: name, name: metadata.name }).gone) held = true;
		}
	}
	const finalizers = stringsAt(namespace, 'spec.finalizers');
	if (held || !finalizers.includes(ownFinalizer)) return;
	amendObject(context, 'namespaces', namespace, (draft) => {
		childOf(draft, 'spec').finalizers = finalizers.filter((finalizer) => finalizer !== ownFinalizer);
	});
}
