import type { ApiObject } from '../objects.ts';
import type { RestContext } from '../rest/context.ts';
import { amendObject, dropFinalizer } from '../rest/metadata.ts';
import { foregroundFinalizer, orphanFinalizer, removeObject } from '../rest/remove.ts';
import type { Change } from '../storage/history.ts';
import { startWork, type Work, type WorkDeps } from './work.ts';

interface Node {
	readonly resource: string;
	readonly object: ApiObject;
}

/**
 * Deletes objects whose owners are gone, and carries out the propagation policies of deletion (Kubernetes documentation, "Garbage
 * Collection"). The graph of owners follows the store, so a missing UID means that the owner does not exist. Returns the way out.
 */
export function startGarbageCollector(deps: WorkDeps, context: RestContext): () => void {
	const collector = new GarbageCollector(deps, context);
	return () => collector.close();
}

class GarbageCollector {
	readonly #context: RestContext;
	readonly #queue: Work;
	readonly #nodes = new Map<string, Node>();
	/** UIDs of dependents by the UID of their owner, which need not exist. */
	readonly #dependents = new Map<string, Set<string>>();
	readonly #unsubscribe: () => void;

	constructor(deps: WorkDeps, context: RestContext) {
		this.#context = context;
		this.#queue = startWork(deps, (uid) => this.#process(uid));
		const { store } = context;
		for (const resource of store.resources()) for (const object of store.scan(resource)) this.#add(resource, object);
		for (const uid of this.#nodes.keys()) this.#queue.add(uid);
		this.#unsubscribe = store.subscribe(undefined, (change) => this.#follow(change));
	}

	close(): void {
		this.#unsubscribe();
		this.#queue.close();
	}

	#follow({ type, resource, before, object }: Change): void {
		if (before) this.#remove(before);
		if (type !== 'DELETED') this.#add(resource, object);
		const { uid = '', ownerReferences, deletionTimestamp } = object.metadata;
		if (type === 'DELETED') for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent);
		else if (ownerReferences || deletionTimestamp) this.#queue.add(uid);
		// Owners that wait for this one, if it no longer blocks them.
		for (const owner of before?.metadata.ownerReferences ?? []) this.#queue.add(owner.uid);
	}

	#add(resource: string, object: ApiObject): void {
		const { uid = '', ownerReferences = [] } = object.metadata;
		this.#nodes.set(uid, { resource, object });
		for (const owner of ownerReferences) {
			const dependents = this.#dependents.get(owner.uid);
			if (dependents) dependents.add(uid);
			else this.#dependents.set(owner.uid, new Set([uid]));
		}
	}

	#remove(object: ApiObject): void {
		const { uid = '', ownerReferences = [] } = object.metadata;
		this.#nodes.delete(uid);
		for (const owner of ownerReferences) {
			const dependents = this.#dependents.get(owner.uid);
			dependents?.delete(uid);
			if (dependents?.size === 0) this.#dependents.delete(owner.uid);
		}
	}

	#process(uid: string): void {
		const node = this.#nodes.get(uid);
		if (!node) return;
		const { deletionTimestamp, finalizers = [], ownerReferences = [] } = node.object.metadata;
		if (deletionTimestamp && finalizers.includes(orphanFinalizer)) this.#orphan(node, uid);
		else if (deletionTimestamp && finalizers.includes(foregroundFinalizer)) this.#deleteDependents(node, uid);
		else if (!deletionTimestamp && ownerReferences.length > 0) this.#checkOwners(node);
	}

	#orphan(node: Node, uid: string): void {
		for (const dependent of this.#dependentsOf(uid)) this.#dropOwners(dependent, new Set([uid]));
		amendObject(this.#context, node.resource, node.object, (draft) => dropFinalizer(draft, orphanFinalizer));
	}

	#deleteDependents(node: Node, uid: string): void {
		const dependents = this.#dependentsOf(uid);
		const blocked = dependents.some(({ object }) =>
			object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion),
		);
		if (!blocked) {
			amendObject(this.#context, node.resource, node.object, (draft) => dropFinalizer(draft, foregroundFinalizer));
			return;
		}
		for (const { object } of dependents) this.#queue.add(object.metadata.uid ?? '');
	}

	/** An object lives as long as one of its owners does that is not itself waiting for its dependents to go. */
	#checkOwners(node: Node): void {
		const { uid = '', ownerReferences = [] } = node.object.metadata;
		const owners = ownerReferences.map((reference) => ({ uid: reference.uid, owner: this.#ownerOf(node, reference.uid) }));
		const useless = owners.filter(({ owner }) => !owner || isWaiting(owner));
		if (useless.length === 0) return;
		if (useless.length < owners.length) {
			this.#dropOwners(node, new Set(useless.map((one) => one.uid)));
			return;
		}
		const foreground = useless.some(({ owner }) => owner) && this.#dependents.has(uid);
		const endpoint = this.#context.registry.endpointOf(node.resource);
		const { namespace = '', name } = node.object.metadata;
		if (endpoint)
			removeObject(this.#context, { endpoint, namespace, name }, { propagationPolicy: foreground ? 'Foreground' : 'Background' });
	}

	/** Owners lie in the same namespace or in none. */
	#ownerOf({ object }: Node, uid: string): Node | undefined {
		const owner = this.#nodes.get(uid);
		const namespace = owner?.object.metadata.namespace;
		return namespace === undefined || namespace === object.metadata.namespace ? owner : undefined;
	}

	#dependentsOf(uid: string): Node[] {
		return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
	}

	#dropOwners({ resource, object }: Node, uids: ReadonlySet<string>): void {
		amendObject(this.#context, resource, object, (draft) => {
			const left = (draft.metadata.ownerReferences ?? []).filter((owner) => !uids.has(owner.uid));
			if (left.length > 0) draft.metadata.ownerReferences = left;
			else delete draft.metadata.ownerReferences;
		});
	}
}

function isWaiting({ object }: Node): boolean {
	const { deletionTimestamp, finalizers } = object.metadata;
	return deletionTimestamp !== undefined && (finalizers ?? []).includes(foregroundFinalizer);
}
