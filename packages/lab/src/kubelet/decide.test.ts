import type { Pod, PodSpec } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { decide, restartTime } from './decide.ts';
import type { ContainerRecord, PodRecord } from './record.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString();
const network = { cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'fake' }] };
const partial = { containerId: 'c', netns: '/run/netns/p', network };
const sandbox = { ...partial, result: {} };
const running: ContainerRecord = { restarts: 0, startedAt: at(-60), pid: 1, ready: true };
const ended = (status: number, secondsAgo: number, restarts = 0): ContainerRecord => ({
	restarts,
	startedAt: at(-600),
	ready: false,
	exit: { status, finishedAt: at(-secondsAgo) },
});

const pod = (spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}, phase?: 'Failed' | 'Running'): Pod => ({
	metadata: { name: 'p', uid: 'u', ...metadata },
	spec: { containers: [{ name: 'a' }], ...spec },
	...(phase ? { status: { phase } } : {}),
});
const record = (change: Partial<PodRecord> = {}): PodRecord => ({
	uid: 'u',
	name: 'p',
	namespace: 'default',
	startTime: at(-60),
	sandbox,
	containers: { a: running },
	...change,
});
const { sandbox: _, ...bare } = record({ containers: {} });
const deleted = (deadline: number) => ({ deletionTimestamp: at(deadline) });

describe('decide', () => {
	it('makes a pod: sandbox, then each container, then nothing', () => {
		const two = pod({ containers: [{ name: 'a' }, { name: 'b' }] });
		expect(decide(two, undefined, now)).toEqual({ kind: 'create-sandbox' });
		expect(decide(two, record({ containers: {} }), now)).toEqual({ kind: 'start', container: 'a' });
		expect(decide(two, record(), now)).toEqual({ kind: 'start', container: 'b' });
		expect(decide(two, record({ containers: { a: running, b: running } }), now)).toEqual({ kind: 'wait' });
	});

	it('clears a half-made sandbox before it makes another', () => {
		expect(decide(pod(), record({ sandbox: partial, containers: {} }), now)).toEqual({ kind: 'remove-sandbox' });
		expect(decide(pod(), bare, now)).toEqual({ kind: 'create-sandbox' });
	});

	it('restarts as the policy says, with growing pauses', () => {
		const after = (container: ContainerRecord, restartPolicy: PodSpec['restartPolicy'] = 'Always') =>
			decide(pod({ restartPolicy }), record({ containers: { a: container } }), now);
		expect(after(ended(1, 0))).toEqual({ kind: 'start', container: 'a' });
		expect(after(ended(0, 0))).toEqual({ kind: 'start', container: 'a' });
		expect(after(ended(1, 3, 1))).toEqual({ kind: 'wait', ms: 7_000 });
		expect(after(ended(1, 3, 2))).toEqual({ kind: 'wait', ms: 17_000 });
		expect(after(ended(1, 0, 50))).toEqual({ kind: 'wait', ms: 300_000 });
		expect(after(ended(1, 10, 1))).toEqual({ kind: 'start', container: 'a' });
		expect(after(ended(1, 0), 'OnFailure')).toEqual({ kind: 'start', container: 'a' });
		expect(after(ended(0, 0), 'OnFailure')).toEqual({ kind: 'remove-sandbox' });
		expect(after(ended(1, 0), 'Never')).toEqual({ kind: 'remove-sandbox' });
	});

	it('does not wait for one container to start another', () => {
		const two = pod({ containers: [{ name: 'a' }, { name: 'b' }] });
		const containers = { a: ended(1, 0, 5), b: ended(1, 60, 1) };
		expect(decide(two, record({ containers }), now)).toEqual({ kind: 'start', container: 'b' });
	});

	it('keeps the sandbox while one container of several still runs', () => {
		const two = pod({ containers: [{ name: 'a' }, { name: 'b' }], restartPolicy: 'Never' });
		expect(decide(two, record({ containers: { a: ended(0, 1), b: running } }), now)).toEqual({ kind: 'wait' });
	});

	it('frees what an ended pod held, and leaves the pod itself', () => {
		expect(decide(pod({}, {}, 'Failed'), record(), now)).toEqual({ kind: 'kill' });
		expect(decide(pod({}, {}, 'Failed'), record({ containers: {} }), now)).toEqual({ kind: 'remove-sandbox' });
		expect(decide(pod({}, {}, 'Failed'), bare, now)).toEqual({ kind: 'wait' });
	});

	it('ends a deleted pod: asks, waits for the grace, kills, clears up, confirms', () => {
		expect(decide(pod({}, deleted(30)), record(), now)).toEqual({ kind: 'terminate' });
		expect(decide(pod({}, deleted(30)), record({ stopping: true }), now)).toEqual({ kind: 'wait', ms: 30_000 });
		expect(decide(pod({}, deleted(0)), record({ stopping: true }), now)).toEqual({ kind: 'kill' });
		expect(decide(pod({}, deleted(30)), record({ containers: { a: ended(143, 0) } }), now)).toEqual({ kind: 'remove-sandbox' });
		expect(decide(pod({}, deleted(30)), bare, now)).toEqual({ kind: 'confirm-deletion' });
		expect(decide(pod({}, deleted(30)), undefined, now)).toEqual({ kind: 'confirm-deletion' });
	});

	it('removes what is left of a pod that the API does not have', () => {
		expect(decide(undefined, record(), now)).toEqual({ kind: 'kill' });
		expect(decide(undefined, record({ containers: { a: ended(137, 0) } }), now)).toEqual({ kind: 'remove-sandbox' });
		expect(decide(undefined, bare, now)).toEqual({ kind: 'forget' });
		expect(decide(undefined, undefined, now)).toEqual({ kind: 'wait' });
	});

	it('does not run a pod in the network of the node', () => {
		expect(decide(pod({ hostNetwork: true }), undefined, now)).toEqual({ kind: 'wait' });
	});
});

describe('restartTime', () => {
	it('is at once for a container that never ended', () => expect(restartTime(running)).toBe(0));
});
