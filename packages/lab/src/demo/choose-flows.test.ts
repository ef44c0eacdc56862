import { describe, expect, it } from 'vitest';
import type { RunningWorkload } from '../access/workloads.ts';
import { chooseFlows, isComplete } from './choose-flows.ts';

const workload = (kind: 'pod' | 'vm', name: string, node: string, address: string): RunningWorkload => ({
	kind,
	name,
	node,
	namespace: 'demo',
	addresses: [address],
	mac: '',
	pod: { metadata: { name } },
});
const api = workload('pod', 'api', 'n1', '10.16.0.4');
const web = workload('pod', 'web', 'n1', '10.16.0.2');
const far = workload('pod', 'far', 'n2', '10.16.0.3');
const vm = workload('vm', 'vm', 'n2', '10.16.0.5');

describe('chooseFlows', () => {
	it('finds a flow of each kind', () => {
		const flows = chooseFlows([api, web, far, vm]);
		expect(flows.map(({ name, address }) => [name, address])).toEqual([
			['api -> web', '10.16.0.2'],
			['api -> far', '10.16.0.3'],
			['api -> vm', '10.16.0.5'],
			['vm -> api', '10.16.0.4'],
		]);
		expect(flows[3]).toMatchObject({ description: 'vm -> pod, other node IPv4', from: vm });
		expect(isComplete(flows)).toBe(true);
	});

	it('is not complete without a virtual machine', () => {
		const flows = chooseFlows([api, web, far]);
		expect(flows.map(({ name }) => name)).toEqual(['api -> web', 'api -> far']);
		expect(isComplete(flows)).toBe(false);
	});
});
