import { isCoded, type Signal } from '@tapestry/base';
import {
	createEventRecorder,
	createIndex,
	createReflector,
	createWorkQueue,
	type KubeDeps,
	type Lease,
	leases as leasesResource,
	type Node,
	nodes as nodesResource,
	type ObjectName,
	type Pod,
	pods as podsResource,
} from '@tapestry/kube';
import { assess, type Limits, type NodeState } from './assess.ts';

/** Where kubelets keep their heartbeats: one Lease a node, with the node's name. */
const leaseNamespace = 'kube-node-lease';

/**
 * Marks silent nodes unreachable, evicts their pods, and removes pods whose node is gone, until the signal is aborted. Silence is counted from
 * when a renewal was seen here, never by the kubelet's clock. Calls `onReady` when it watches.
 */
export async function runNodeLifecycle(deps: KubeDeps, limits: Limits, signal: Signal, onReady: () => void): Promise<void> {
	const { client, clock, log } = deps;
	await using nodes = createReflector<Node>(deps, { resource: nodesResource });
	await using leases = createReflector<Lease>(deps, { resource: leasesResource, namespace: leaseNamespace });
	await using pods = createReflector<Pod>(deps, { resource: podsResource });
	using byNode = createIndex(pods, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
	const events = createEventRecorder(deps, { component: 'node-controller' });
	const queue = createWorkQueue(deps);
	/** When each node was last known to be there, or first known to be missing, in monotonic milliseconds. */
	const heard = new Map<string, number>();

	nodes.onChange(({ key, before, after }) => {
		if (before === undefined || after === undefined) heard.set(key, clock.monotonic());
		queue.add(key);
	});
	leases.onChange(({ after }) => {
		if (after === undefined) return;
		const { name } = after.metadata;
		heard.set(name, clock.monotonic());
		// A renewal only matters at once to a node that was given up; the others have a look planned.
		const given = nodes.objects.get(name)?.spec?.taints ?? [];
		if (given.some(({ key }) => key === 'node.kubernetes.io/unreachable')) queue.add(name);
	});
	pods.onChange(({ before, after }) => {
		const name = after?.spec?.nodeName;
		if (name && before?.spec?.nodeName !== name) queue.add(name);
	});

	async function check(name: string): Promise<void> {
		const state = stateOf(name);
		if (state.node === undefined && state.pods.length === 0) {
			heard.delete(name);
			return;
		}
		const verdict = assess(state, limits, clock.now());
		const drastic = verdict.conditions !== undefined || verdict.remove.length > 0;
		if (drastic && !(await confirmed(name))) {
			queue.addAfter(name, limits.graceMs);
			return;
		}
		if (verdict.againMs !== undefined) queue.addAfter(name, verdict.againMs);
		let { node } = state;
		if (node !== undefined && verdict.conditions !== undefined) {
			log.warn('node does not answer', { node: name, silentMs: Math.round(state.silentMs) });
			const status = { ...node.status, conditions: verdict.conditions };
			node = await client.replace<Node>(nodesResource, { ...node, status }, { subresource: 'status' });
			events.record(nodesResource, node, { type: 'Warning', reason: 'NodeNotReady', message: `Node ${name} status is now: NodeNotReady` });
		}
		if (node !== undefined && verdict.taints !== undefined) {
			await client.replace<Node>(nodesResource, { ...node, spec: { ...node.spec, taints: verdict.taints } });
		}
		for (const pod of verdict.evict) {
			log.warn('evicting a pod', { node: name, pod: pod.metadata.name, namespace: pod.metadata.namespace });
			await remove(pod);
			events.record(podsResource, pod, { type: 'Normal', reason: 'TaintManagerEviction', message: `Node ${name} is unreachable` });
		}
		for (const pod of verdict.remove) {
			log.warn('removing a pod whose node is gone', { node: name, pod: pod.metadata.name, namespace: pod.metadata.namespace });
			await remove(pod, 0);
		}
	}

	function stateOf(name: string): NodeState {
		const now = clock.monotonic();
		const since = heard.get(name) ?? now;
		heard.set(name, since);
		return { node: nodes.objects.get(name), silentMs: now - since, pods: [...byNode.get(name)] };
	}

	/**
	 * Asks the API itself before a node is given up: our own watch may be the one that is cut off. An API that does not answer says nothing
	 * about the node, whose kubelet may have met the same silence, so its time starts anew.
	 */
	async function confirmed(name: string): Promise<boolean> {
		try {
			if (!nodes.objects.has(name)) return !(await exists(client.get(nodesResource, { name })));
			const lease = { name, namespace: leaseNamespace };
			const known = leases.objects.get(`${leaseNamespace}/${name}`);
			const current = await client.get<Lease>(leasesResource, lease).catch(ignoreMissing);
			if (current?.spec?.renewTime === known?.spec?.renewTime) return true;
		} catch (error) {
			log.warn('the API server does not answer, so nothing is known of the node', { node: name, error });
		}
		heard.set(name, clock.monotonic());
		return false;
	}

	async function remove(pod: Pod, gracePeriodSeconds?: number): Promise<void> {
		const { uid } = pod.metadata;
		const target: ObjectName = pod.metadata;
		const options = { ...(uid === undefined ? {} : { uid }), ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) };
		try {
			await client.remove(podsResource, target, options);
		} catch (error) {
			// Gone already, or a new pod of the same name.
			if (!isCoded(error, 'KUBE_NOT_FOUND') && !isCoded(error, 'KUBE_CONFLICT')) throw error;
		}
	}

	await Promise.all([nodes.synced(signal), leases.synced(signal), pods.synced(signal)]);
	for (const name of nodes.objects.keys()) queue.add(name);
	onReady();
	await queue.run(4, check, signal);
	await events.flush();
}

async function exists(request: Promise<unknown>): Promise<boolean> {
	return (await request.catch(ignoreMissing)) !== undefined;
}

function ignoreMissing(error: unknown): undefined {
	if (!isCoded(error, 'KUBE_NOT_FOUND')) throw error;
}
