import { isCoded, type Signal } from '@tapestry/base';
import {
	createEventRecorder,
	createIndex,
	createReflector,
	createWorkQueue,
	hasEnded,
	type KubeDeps,
	keyOf,
	type Node,
	nodes as nodesResource,
	type Pod,
	pods as podsResource,
	setCondition,
} from '@tapestry/kube';
import { isWaiting, place } from './place.ts';

/** Bindings in flight at once. Decisions are made one after the other, so that they count each other. */
const concurrency = 8;

/** Gives each waiting pod a node until the signal is aborted; calls `onReady` when it watches. */
export async function runScheduler(deps: KubeDeps, signal: Signal, onReady: () => void): Promise<void> {
	const { client, clock, log } = deps;
	await using nodes = createReflector<Node>(deps, { resource: nodesResource });
	await using pods = createReflector<Pod>(deps, { resource: podsResource });
	using byNode = createIndex(pods, (pod) => (pod.spec?.nodeName && !hasEnded(pod) ? [pod.spec.nodeName] : []));
	const events = createEventRecorder(deps, { component: 'default-scheduler' });
	const queue = createWorkQueue(deps);
	/** The node of each pod whose binding was sent but is not yet seen. */
	const assumed = new Map<string, string>();

	const addWaiting = (): void => {
		for (const [key, pod] of pods.objects) if (isWaiting(pod)) queue.add(key);
	};
	pods.onChange(({ key, after }) => {
		if (after === undefined || after.spec?.nodeName) assumed.delete(key);
		if (after !== undefined && isWaiting(after)) queue.add(key);
	});
	nodes.onChange(addWaiting);

	const load = (node: string): number => {
		let count = 0;
		for (const _ of byNode.get(node)) count += 1;
		for (const other of assumed.values()) if (other === node) count += 1;
		return count;
	};

	async function schedule(key: string): Promise<void> {
		const pod = pods.objects.get(key);
		if (pod === undefined || !isWaiting(pod) || assumed.has(key)) return;
		const placement = place(pod, nodes.objects.values(), load);
		if (placement.kind === 'unschedulable') return refuse(pod, placement.message);
		assumed.set(key, placement.node);
		try {
			await bind(pod, placement.node);
		} catch (error) {
			assumed.delete(key);
			// Somebody else gave it a node or deleted it: the watch will tell.
			if (isCoded(error, 'KUBE_CONFLICT') || isCoded(error, 'KUBE_NOT_FOUND')) return;
			throw error;
		}
		log.info('pod scheduled', { pod: key, node: placement.node });
		events.record(podsResource, pod, {
			type: 'Normal',
			reason: 'Scheduled',
			message: `Successfully assigned ${key} to ${placement.node}`,
		});
	}

	async function bind(pod: Pod, node: string): Promise<void> {
		const { name, namespace, uid } = pod.metadata;
		const binding = {
			apiVersion: 'v1',
			kind: 'Binding',
			metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
			target: { apiVersion: 'v1', kind: 'Node', name: node },
		};
		await client.create(podsResource, binding, { subresource: 'binding' });
	}

	async function refuse(pod: Pod, message: string): Promise<void> {
		const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
		const before = pod.status?.conditions ?? [];
		const after = setCondition(before, condition, clock.now());
		if (after === before) return;
		const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: after.filter(({ type }) => type === condition.type) } };
		await client.patch(podsResource, pod.metadata, 'application/strategic-merge-patch+json', patch, { subresource: 'status' });
		log.warn('pod has no node', { pod: keyOf(pod), message });
		events.record(podsResource, pod, { type: 'Warning', reason: 'FailedScheduling', message });
	}

	await Promise.all([nodes.synced(signal), pods.synced(signal)]);
	addWaiting();
	onReady();
	await queue.run(concurrency, schedule, signal);
	await events.flush();
}
