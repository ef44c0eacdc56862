import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createKubeClient, createReflector, findCondition, type Node, nodes, type Pod, pods, type Reflector } from '@tapestry/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../../../apiserver/src/testing/server.ts';
import { until as awaited, changesOf } from '../../../base/src/testing/until.ts';
import { runScheduler } from './scheduler.ts';

let server: TestApiServer;
beforeAll(async () => {
	server = await startTestApiServer();
});
afterAll(() => server.close());

it('spreads pods, reports one that fits nowhere, and heals it when a node appears', async () => {
	const deps = { clock: systemClock, random: Math.random, log: silentLogger };
	using client = createKubeClient(deps, { kubeconfig: server.kubeconfig });
	const namespace = 'default';
	const addNode = async (name: string, labels: Record<string, string> = {}): Promise<void> => {
		const node = await client.create<Node>(nodes, { metadata: { name, labels } });
		const status = { conditions: [{ type: 'Ready', status: 'True' as const }] };
		await client.replace<Node>(nodes, { ...node, status }, { subresource: 'status' });
	};
	const addPod = (name: string, nodeSelector: Record<string, string> = {}) =>
		client.create<Pod>(pods, { metadata: { name, namespace }, spec: { nodeSelector, containers: [{ name: 'main', image: 'none' }] } });

	await Promise.all([addNode('n1'), addNode('n2')]);
	const abort = new AbortController();
	const ready = Promise.withResolvers<void>();
	const ended = runScheduler({ ...deps, client }, abort.signal, ready.resolve);
	await ready.promise;
	await using seen = createReflector<Pod>({ ...deps, client }, { resource: pods, namespace });

	await Promise.all(Array.from({ length: 10 }, (_, index) => addPod(`p${index}`)));
	await until(seen, () => nodesOf(seen).length === 10);
	expect(['n1', 'n2'].map((node) => nodesOf(seen).filter((name) => name === node).length)).toEqual([5, 5]);

	await addPod('picky', { disk: 'ssd' });
	const condition = () => findCondition(seen.objects.get('default/picky')?.status?.conditions, 'PodScheduled');
	await until(seen, () => condition() !== undefined);
	expect(condition()).toMatchObject({
		status: 'False',
		reason: 'Unschedulable',
		message: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
	});
	await addNode('n3', { disk: 'ssd' });
	await until(seen, () => nodesOf(seen).includes('n3'));
	expect(condition()?.status).toBe('True');

	abort.abort();
	await ended;
});

function nodesOf(seen: Reflector<Pod>): string[] {
	return [...seen.objects.values()].flatMap(({ spec }) => spec?.nodeName ?? []);
}

const until = (seen: Reflector<Pod>, condition: () => boolean): Promise<true> =>
	awaited(() => `${condition}: pods are on ${nodesOf(seen).join()}`, changesOf(seen), condition);
