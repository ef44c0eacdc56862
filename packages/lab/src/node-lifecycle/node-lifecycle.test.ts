import { CodedError, silentLogger } from '@tapestry/base';
import { findCondition, type KubeObject, leases, type Node, nodes, pods, type Resource } from '@tapestry/kube';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeClock, settle } from '../../../kube/src/testing/fake-clock.ts';
import { createMemoryApi } from '../../../kube/src/testing/memory-client.ts';
import { runNodeLifecycle } from './node-lifecycle.ts';

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const stop of cleanup.splice(0)) await stop();
});

async function start() {
	const api = createMemoryApi();
	const user = api.client();
	const clock = createFakeClock(Date.parse('2026-01-01T12:00:00Z'));
	const state = { down: false };
	const client = api.client(async (_, next) => {
		if (state.down) throw new CodedError('KUBE_UNAVAILABLE', 'down');
		return next();
	});
	const conditions = [{ type: 'Ready', status: 'True' }];
	await user.create<KubeObject>(nodes, { metadata: { name: 'n' }, spec: {}, status: { conditions } });
	await user.create<KubeObject>(leases, { metadata: { name: 'n', namespace: 'kube-node-lease' }, spec: { renewTime: '0' } });
	await user.create<KubeObject>(pods, { metadata: { name: 'p', namespace: 'a' }, spec: { nodeName: 'n' } });
	const abort = new AbortController();
	const ready = Promise.withResolvers<void>();
	const limits = { graceMs: 40_000, evictMs: 300_000 };
	const ended = runNodeLifecycle({ client, clock, random: () => 0, log: silentLogger }, limits, abort.signal, ready.resolve);
	cleanup.push(async () => {
		abort.abort();
		await ended;
	});
	await ready.promise;
	await settle();
	let renewals = 0;
	const renew = async (): Promise<void> => {
		renewals += 1;
		const patch = { spec: { renewTime: String(renewals) } };
		await user.patch(leases, { name: 'n', namespace: 'kube-node-lease' }, 'application/merge-patch+json', patch);
	};
	const node = () => api.read(nodes, { name: 'n' }) as Node;
	const readiness = () => findCondition(node().status?.conditions, 'Ready')?.status;
	const count = (resource: Resource) => api.all(resource).length;
	return { clock, user, state, renew, node, readiness, count };
}

describe('node lifecycle', () => {
	it('gives a silent node up, evicts its pods later, and takes its taints back when it answers', async () => {
		const { clock, renew, node, readiness, count } = await start();
		for (let i = 0; i < 10; i += 1) {
			await clock.advance(30_000);
			await renew();
		}
		await clock.advance(39_000);
		expect(readiness()).toBe('True');
		await clock.advance(1_000);
		expect(readiness()).toBe('Unknown');
		expect(node().spec?.taints?.map(({ effect }) => effect)).toEqual(['NoSchedule', 'NoExecute']);
		await clock.advance(299_000);
		expect(count(pods)).toBe(1);
		await clock.advance(2_000);
		expect(count(pods)).toBe(0);
		await renew();
		await settle();
		expect(node().spec?.taints).toEqual([]);
	});

	it('blames no node while the API server does not answer', async () => {
		const { clock, state, readiness } = await start();
		await clock.advance(30_000);
		state.down = true;
		await clock.advance(60_000);
		state.down = false;
		await clock.advance(29_000);
		expect(readiness()).toBe('True');
		await clock.advance(60_000);
		expect(readiness()).toBe('Unknown');
	});

	it('removes the pods of a node that stays gone', async () => {
		const { clock, user, count } = await start();
		await user.remove(nodes, { name: 'n' });
		await clock.advance(39_000);
		expect(count(pods)).toBe(1);
		await clock.advance(2_000);
		expect(count(pods)).toBe(0);
	});
});
