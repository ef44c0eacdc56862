import type { Condition, Node, Pod, PodSpec, Taint } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';

const limits = { graceMs: 40_000, evictMs: 300_000 };
const now = Date.parse('2026-01-01T12:00:00Z');
const at = (secondsAgo: number): string => `${new Date(now - secondsAgo * 1000).toISOString().slice(0, 19)}Z`;
const ready: Condition = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: at(999) };
const unknown: Condition = {
	type: 'Ready',
	status: 'Unknown',
	reason: 'NodeStatusUnknown',
	message: 'Kubelet stopped posting node status.',
	lastTransitionTime: at(100),
};
const key = 'node.kubernetes.io/unreachable';
const taints = (secondsAgo: number): Taint[] => [
	{ key, effect: 'NoSchedule', timeAdded: at(secondsAgo) },
	{ key, effect: 'NoExecute', timeAdded: at(secondsAgo) },
];
const node = (condition: Condition, nodeTaints: Taint[] = [], more: Condition[] = []): Node => ({
	metadata: { name: 'n' },
	spec: { taints: nodeTaints },
	status: { conditions: [condition, ...more] },
});
const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({ metadata: { name }, spec: { containers: [], ...spec } });

describe('assess', () => {
	it('leaves a node alone that answers and says when to look again', () => {
		expect(assess({ node: node(ready), silentMs: 15_000, pods: [pod('p')] }, limits, now)).toEqual({
			evict: [],
			remove: [],
			againMs: 25_000,
		});
	});

	it('marks a silent node', () => {
		const pressure: Condition = { type: 'MemoryPressure', status: 'False', lastTransitionTime: at(999) };
		const foreign: Condition = { type: 'Other', status: 'True' };
		const verdict = assess({ node: node(ready, [], [pressure, foreign]), silentMs: 40_000, pods: [pod('p')] }, limits, now);
		expect(verdict.conditions).toEqual([
			{ ...unknown, lastTransitionTime: at(0) },
			{ ...unknown, type: 'MemoryPressure', lastTransitionTime: at(0) },
			foreign,
		]);
		expect(verdict.taints).toEqual(taints(0));
		expect(verdict.evict).toEqual([]);
		expect(verdict.againMs).toBe(300_000);
	});

	it('keeps other taints, both when it adds and when it takes back its own', () => {
		const other: Taint = { key: 'gpu', effect: 'NoSchedule' };
		expect(assess({ node: node(ready, [other]), silentMs: 40_000, pods: [] }, limits, now).taints).toEqual([other, ...taints(0)]);
		const back = assess({ node: node(unknown, [other, ...taints(60)]), silentMs: 0, pods: [] }, limits, now);
		expect(back).toMatchObject({ taints: [other], evict: [] });
		expect(back.conditions).toBeUndefined();
	});

	it('has nothing to write for a node that is marked already', () => {
		const verdict = assess({ node: node(unknown, taints(100)), silentMs: 140_000, pods: [] }, limits, now);
		expect(verdict).toEqual({ evict: [], remove: [] });
	});

	it('evicts pods when their time has come, each by its own toleration', () => {
		const tolerates = (tolerationSeconds?: number) => ({
			tolerations: [{ key, operator: 'Exists', effect: 'NoExecute', ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) }],
		});
		const pods = [
			pod('default'),
			pod('impatient', tolerates(10) as never),
			pod('patient', tolerates(400) as never),
			pod('staying', tolerates() as never),
			{ ...pod('ending'), metadata: { name: 'ending', deletionTimestamp: at(5) } },
		];
		const names = (silentSeconds: number): readonly string[] =>
			assess({ node: node(unknown, taints(silentSeconds)), silentMs: 999_000, pods }, limits, now).evict.map((one) => one.metadata.name);
		expect(names(9)).toEqual([]);
		expect(names(10)).toEqual(['impatient']);
		expect(names(300)).toEqual(['default', 'impatient']);
		expect(names(9_999)).toEqual(['default', 'impatient', 'patient']);
		expect(assess({ node: node(unknown, taints(10)), silentMs: 999_000, pods }, limits, now).againMs).toBe(290_000);
	});

	it('removes pods of a node that is gone, after the same patience', () => {
		const pods = [pod('p')];
		expect(assess({ node: undefined, silentMs: 10_000, pods }, limits, now)).toEqual({ evict: [], remove: [], againMs: 30_000 });
		expect(assess({ node: undefined, silentMs: 40_000, pods }, limits, now)).toEqual({ evict: [], remove: pods });
		expect(assess({ node: undefined, silentMs: 40_000, pods: [] }, limits, now)).toEqual({ evict: [], remove: [] });
	});
});
