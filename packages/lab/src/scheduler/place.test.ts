import type { Node, NodeSpec, Pod } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { isWaiting, place } from './place.ts';

const node = (name: string, spec: NodeSpec = {}): Node => ({
	metadata: { name },
	spec,
	status: { conditions: [{ type: 'Ready', status: 'True' }] },
});
const pod: Pod = { metadata: { name: 'p', namespace: 'a' }, spec: { containers: [] } };
const load = (counts: Record<string, number>) => (name: string) => counts[name] ?? 0;

describe('place', () => {
	it('takes the node with the fewest pods, then the first by name', () => {
		const nodes = [node('c'), node('b'), node('a')];
		expect(place(pod, nodes, load({ a: 2, b: 1, c: 1 }))).toEqual({ kind: 'bind', node: 'b' });
		expect(place(pod, nodes, load({}))).toEqual({ kind: 'bind', node: 'a' });
	});

	it('passes over nodes that do not fit', () => {
		expect(place(pod, [node('a', { unschedulable: true }), node('b')], load({ b: 9 }))).toEqual({ kind: 'bind', node: 'b' });
	});

	it('says how many nodes are unfit and why', () => {
		const cordoned = { unschedulable: true };
		const tainted: NodeSpec = { taints: [{ key: 'gpu', effect: 'NoSchedule' }] };
		expect(place(pod, [node('a', cordoned), node('b', tainted), node('c', cordoned)], load({}))).toEqual({
			kind: 'unschedulable',
			message: '0/3 nodes are available: 1 node(s) had untolerated taint {gpu: }, 2 node(s) were unschedulable.',
		});
		expect(place(pod, [], load({}))).toMatchObject({ message: '0/0 nodes are available: there are no nodes.' });
	});
});

describe('isWaiting', () => {
	it('is true only for a live pod of this scheduler without a node', () => {
		const with_ = (spec: object, status: object = {}): Pod => ({ ...pod, spec: { containers: [], ...spec }, status });
		expect(isWaiting(pod)).toBe(true);
		expect(isWaiting(with_({ schedulerName: 'default-scheduler' }))).toBe(true);
		expect(isWaiting(with_({ schedulerName: 'mine' }))).toBe(false);
		expect(isWaiting(with_({ nodeName: 'n' }))).toBe(false);
		expect(isWaiting(with_({}, { phase: 'Failed' }))).toBe(false);
		expect(isWaiting({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })).toBe(false);
	});
});
