import { isDeepStrictEqual } from 'node:util';
import { createBackoff, isCoded, sleep } from '@tapestry/base';
import {
	createReflector,
	createWorkQueue,
	type KubeClient,
	type KubeDeps,
	type Lease,
	leases,
	microTimestamp,
	type Node,
	nodes,
} from '@tapestry/kube';
import { type NodeFacts, newNode, nodeStatus } from './node-object.ts';

const leaseNamespace = 'kube-node-lease';
/** Kubernetes' values: renewed every quarter of what a kubelet may be silent for. */
const leaseSeconds = 40;
const renewMs = 10_000;

/** Registers the node and keeps its object and its lease until the signal is aborted. `onRegistered` is called when the node is ready and has its lease. */
export async function keepNode(deps: KubeDeps, facts: NodeFacts, signal: AbortSignal, onRegistered: () => void): Promise<void> {
	const [ready, leased] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	void Promise.all([ready.promise, leased.promise]).then(onRegistered);
	await Promise.all([keepObject(deps, facts, signal, ready.resolve), keepLease(deps, facts.name, signal, leased.resolve)]);
}

/** Whoever changes the status, for example because the node was silent for a while, is answered with the right one. */
async function keepObject(deps: KubeDeps, facts: NodeFacts, signal: AbortSignal, onReady: () => void): Promise<void> {
	const { client, clock } = deps;
	const name = { name: facts.name };
	await using reflector = createReflector<Node>(deps, { resource: nodes, fieldSelector: `metadata.name=${facts.name}` });
	const queue = createWorkQueue(deps);
	reflector.onChange(() => queue.add(facts.name));
	await reflector.synced(signal);
	queue.add(facts.name);
	await queue.run(
		1,
		async () => {
			const node = reflector.objects.get(facts.name) ?? (await createNode(client, facts));
			const status = nodeStatus(facts, node.status, clock.now());
			if (!isDeepStrictEqual({ ...node.status, ...status }, { ...node.status })) {
				await client.patch(nodes, name, 'application/strategic-merge-patch+json', { status }, { subresource: 'status', signal });
			}
			onReady();
		},
		signal,
	);
}

async function createNode(client: KubeClient, facts: NodeFacts): Promise<Node> {
	try {
		return await client.create<Node>(nodes, newNode(facts));
	} catch (error) {
		if (!isCoded(error, 'KUBE_EXISTS')) throw error;
		return client.get<Node>(nodes, { name: facts.name });
	}
}

/** Says every few seconds that the kubelet lives. */
async function keepLease(deps: KubeDeps, name: string, signal: AbortSignal, onRenewed: () => void): Promise<void> {
	const backoff = createBackoff(deps, { initial: 200, max: renewMs });
	for (;;) {
		let pause = renewMs;
		try {
			await renew(deps, name, signal);
			onRenewed();
			backoff.reset();
		} catch (error) {
			if (signal.aborted) return;
			pause = backoff.next();
			deps.log.warn('lease not renewed', { error, pauseMs: Math.round(pause) });
		}
		try {
			await sleep(deps.clock, pause, signal);
		} catch {
			return;
		}
	}
}

async function renew({ client, clock }: KubeDeps, name: string, signal: AbortSignal): Promise<void> {
	const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: microTimestamp(clock.now()) };
	try {
		await client.patch<Lease>(leases, { name, namespace: leaseNamespace }, 'application/merge-patch+json', { spec }, { signal });
	} catch (error) {
		if (!isCoded(error, 'KUBE_NOT_FOUND')) throw error;
		await client.create<Lease>(leases, { metadata: { name, namespace: leaseNamespace }, spec }, { signal });
	}
}
