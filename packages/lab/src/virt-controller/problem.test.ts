import type { VirtualMachine } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { findProblem } from './problem.ts';

const machine = (spec: object, template: object = { spec: { domain: {} } }, name = 'vm') =>
	({ metadata: { name }, spec: { template, ...spec } }) as VirtualMachine;
const nics = (interfaces: string[], networks: object[]) => ({
	spec: { domain: { devices: { interfaces: interfaces.map((name) => ({ name, bridge: {} })) } }, networks },
});
const pod = { name: 'default', pod: {} };

describe('findProblem', () => {
	it('finds none in a usable machine', () => {
		expect(findProblem(machine({ running: true }))).toBeUndefined();
		expect(findProblem(machine({ runStrategy: 'Always' }, nics(['default'], [pod])))).toBeUndefined();
	});

	it.each([
		['both wishes', machine({ running: true, runStrategy: 'Always' }), 'both set'],
		['unsupported strategy', machine({ runStrategy: 'WaitAsReceiver' }), 'WaitAsReceiver'],
		['long name', machine({}, undefined, 'x'.repeat(64)), '64 characters'],
		['no template spec', machine({ running: true }, { metadata: {} }), 'spec.template.spec.domain'],
		['interface without network', machine({}, nics(['default', 'blue'], [pod])), 'interface "blue"'],
		['network without interface', machine({}, nics([], [pod])), 'network "default"'],
		[
			'secondary network',
			machine({}, nics(['default', 'blue'], [pod, { name: 'blue', multus: { networkName: 'x' } }])),
			'network "blue" cannot be attached',
		],
	])('explains: %s', (_, vm, words) => {
		const problem = findProblem(vm);
		expect(`${problem?.what}: ${problem?.why}`).toContain(words);
		expect(problem?.fix).toBeTruthy();
	});
});
