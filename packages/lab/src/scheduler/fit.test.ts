import type { Affinity, Node, NodeSpec, Pod, PodSpec, Taint } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { misfit } from './fit.ts';

const node = (spec: NodeSpec = {}, labels: Record<string, string> = {}, ready: 'True' | 'Unknown' = 'True'): Node => ({
	metadata: { name: 'n1', labels },
	spec,
	status: { conditions: [{ type: 'Ready', status: ready }] },
});
const pod = (spec: Partial<PodSpec> = {}): Pod => ({ metadata: { name: 'p', namespace: 'a' }, spec: { containers: [], ...spec } });
const affinity = (...nodeSelectorTerms: object[]): { readonly affinity: Affinity } => ({
	affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });

const taint: Taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
const unfitByLabels = "node(s) didn't match Pod's node affinity/selector";

describe('misfit', () => {
	it('accepts a ready node', () => {
		expect(misfit(pod(), node())).toBeUndefined();
	});

	it('names the reason', () => {
		expect(misfit(pod(), node({}, {}, 'Unknown'))).toBe('node(s) were not ready');
		expect(misfit(pod(), { metadata: { name: 'new' } })).toBe('node(s) were not ready');
		expect(misfit(pod(), node({ unschedulable: true }))).toBe('node(s) were unschedulable');
		expect(misfit(pod(), node({ taints: [taint] }))).toBe('node(s) had untolerated taint {dedicated: db}');
		expect(misfit(pod({ nodeSelector: { disk: 'ssd' } }), node({}, { disk: 'hdd' }))).toBe(unfitByLabels);
	});

	it('lets tolerations through and ignores soft taints', () => {
		expect(misfit(pod({ tolerations: [{ key: 'dedicated', value: 'db' }] }), node({ taints: [taint] }))).toBeUndefined();
		expect(misfit(pod({ tolerations: [{ operator: 'Exists' }] }), node({ taints: [taint], unschedulable: true }))).toBeUndefined();
		expect(misfit(pod(), node({ taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }))).toBeUndefined();
		expect(misfit(pod(), node({ taints: [{ key: 'x', effect: 'NoExecute' }] }))).toBeDefined();
	});

	it.each<[object, boolean]>([
		[expression('zone', 'In', 'a', 'b'), true],
		[expression('zone', 'In', 'b'), false],
		[expression('zone', 'NotIn', 'a'), false],
		[expression('rack', 'NotIn', 'a'), true],
		[expression('zone', 'Exists'), true],
		[expression('rack', 'Exists'), false],
		[expression('rack', 'DoesNotExist'), true],
		[expression('cpus', 'Gt', '4'), true],
		[expression('cpus', 'Lt', '4'), false],
		[expression('rack', 'Gt', '4'), false],
		[{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }, true],
		[{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }] }, false],
		[{}, false],
	])('evaluates %j to %s', (term, fits) => {
		const labelled = node({}, { zone: 'a', cpus: '8' });
		expect(misfit(pod(affinity(term)), labelled)).toBe(fits ? undefined : unfitByLabels);
	});

	it('needs one term of several, and the selector too', () => {
		const labelled = node({}, { zone: 'a' });
		const either = affinity(expression('zone', 'In', 'b'), expression('zone', 'In', 'a'));
		expect(misfit(pod(either), labelled)).toBeUndefined();
		expect(misfit(pod({ ...either, nodeSelector: { zone: 'b' } }), labelled)).toBe(unfitByLabels);
	});
});
