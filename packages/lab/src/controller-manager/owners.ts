import { isDeepStrictEqual } from 'node:util';
import { isCoded, messageOf, type Signal } from '@tapestry/base';
import {
	createEventRecorder,
	createIndex,
	createReflector,
	createWorkQueue,
	type KubeDeps,
	type KubeObject,
	keyOf,
	type Reflector,
	type Resource,
} from '@tapestry/kube';
import { unlessOutdated } from './unless-outdated.ts';

/** What an object that owns others should say and which others it should have. */
export interface Decision<Child, Status> {
	readonly status: Status;
	readonly create: readonly Child[];
	readonly update?: readonly Child[];
	readonly remove: readonly Child[];
	/** When to look again if nothing happens, in milliseconds. */
	readonly againMs?: number;
}

export interface OwnerKind<Owner extends KubeObject, Child extends KubeObject> {
	readonly resource: Resource;
	readonly childResource: Resource;
	readonly children: Reflector<Child>;
	/** Its name in events. */
	readonly component: string;
	readonly decide: (owner: Owner, children: readonly Child[], now: number) => Decision<Child, NonNullable<Owner['status']>>;
}

/** Objects at work at once. */
const concurrency = 4;

/** Does what `decide` says for each object of a kind, whenever it or what it owns has changed. Those of a deleted object are the garbage collector's. */
export async function runOwners<Owner extends KubeObject, Child extends KubeObject>(
	deps: KubeDeps,
	kind: OwnerKind<Owner, Child>,
	signal: Signal,
	onReady: () => void,
): Promise<void> {
	const { client, clock, log } = deps;
	const { resource, childResource, children, component, decide } = kind;
	await using owners = createReflector<Owner>(deps, { resource });
	using childrenOf = createIndex(children, ({ metadata }) =>
		(metadata.ownerReferences ?? []).flatMap(({ controller, uid }) => (controller ? [uid] : [])),
	);
	const events = createEventRecorder(deps, { component });
	const queue = createWorkQueue(deps);

	owners.onChange(({ key }) => queue.add(key));
	const stop = children.onChange(({ before, after }) => {
		for (const child of [before, after]) {
			const owner = child?.metadata.ownerReferences?.find((reference) => reference.controller && reference.kind === resource.kind);
			if (owner) queue.add(`${child?.metadata.namespace}/${owner.name}`);
		}
	});

	async function reconcile(key: string): Promise<void> {
		const owner = owners.objects.get(key);
		if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return;
		const { status, create, update = [], remove, againMs } = decide(owner, [...childrenOf.get(owner.metadata.uid ?? '')], clock.now());
		if (againMs !== undefined) queue.addAfter(key, againMs);
		for (const child of create) await make(owner, child);
		for (const child of update) await unlessOutdated(client.replace(childResource, child));
		for (const { metadata } of remove) {
			await unlessOutdated(client.remove(childResource, metadata, metadata.uid === undefined ? {} : { uid: metadata.uid }));
			log.info('removed', { kind: childResource.kind, name: metadata.name, namespace: metadata.namespace });
		}
		if (isDeepStrictEqual({ ...(owner.status as object), ...status }, owner.status)) return;
		await unlessOutdated(
			client.replace(resource, { ...owner, status: { ...(owner.status as object), ...status } }, { subresource: 'status' }),
		);
	}

	async function make(owner: Owner, child: Child): Promise<void> {
		try {
			await unlessOutdated(client.create(childResource, child));
		} catch (error) {
			if (isCoded(error, 'KUBE_INVALID') || isCoded(error, 'KUBE_FORBIDDEN')) {
				events.record(resource, owner, { type: 'Warning', reason: 'FailedCreate', message: messageOf(error) });
			}
			throw error;
		}
		log.info('created', { kind: childResource.kind, name: keyOf(child) });
	}

	await Promise.all([owners, children].map((reflector) => reflector.synced(signal)));
	onReady();
	await queue.run(concurrency, reconcile, signal);
	stop();
	await events.flush();
}
