import { sentence } from '@tapestry/base';
import type { VirtualMachine, VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { findInstanceProblem, findProblem } from './problem.ts';

const machine = (spec: object, template: object = { spec: { domain: {} } }, name = 'vm') =>
	({ metadata: { name }, spec: { template, ...spec } }) as VirtualMachine;
const nic = (more: object, network: object = { pod: {} }) => ({
	spec: { domain: { devices: { interfaces: [{ name: 'default', ...more }] } }, networks: [{ name: 'default', ...network }] },
});
const nics = (interfaces: string[], networks: string[]) => ({
	spec: {
		domain: { devices: { interfaces: interfaces.map((name) => ({ name, bridge: {} })) } },
		networks: networks.map((name) => ({ name, pod: {} })),
	},
});
const memory = (guest: unknown) => ({ spec: { domain: { memory: { guest } } } });

describe('findProblem', () => {
	it.each([
		['nothing but a domain', machine({ running: true })],
		['a bridge', machine({ runStrategy: 'Always' }, nic({ bridge: {} }))],
		['NAT', machine({}, nic({ masquerade: {} }))],
		['the binding plugin', machine({}, nic({ binding: { name: 'tapestry' }, macAddress: '02:00:00:00:00:01' }))],
		['a NIC that says nothing', machine({}, nic({}))],
		['a name of 70 characters', machine({}, undefined, 'x'.repeat(70))],
	])('finds none in a machine with %s', (_, vm) => expect(findProblem(vm)).toBeUndefined());

	it.each([
		['both wishes', machine({ running: true, runStrategy: 'Always' }), 'both set'],
		['unsupported strategy', machine({ runStrategy: 'WaitAsReceiver' }), 'WaitAsReceiver'],
		['no template spec', machine({ running: true }, { metadata: {} }), 'spec.template.spec.domain'],
		['interface without network', machine({}, nics(['default', 'blue'], ['default'])), 'interface "blue"'],
		['network without interface', machine({}, nics([], ['default'])), 'network "default"'],
		['two NICs of one name', machine({}, nics(['default', 'default'], ['default'])), 'two interfaces are called "default"'],
		['two networks of one name', machine({}, nics(['default'], ['default', 'default'])), 'two networks are called "default"'],
		['two pod networks', machine({}, nics(['a', 'b'], ['a', 'b'])), 'network "b" cannot be attached'],
		['secondary network', machine({}, nic({}, { multus: { networkName: 'x' } })), 'network "default" cannot be attached'],
		['network without source', machine({}, nic({}, {})), 'it has no source'],
		['malformed MAC', machine({}, nic({ macAddress: '02:00:00:00:00' })), '"02:00:00:00:00" is not a MAC address'],
		['multicast MAC', machine({}, nic({ macAddress: '03:00:00:00:00:01' })), '03:00:00:00:00:01 is a multicast address'],
		['zero MAC', machine({}, nic({ macAddress: '00:00:00:00:00:00' })), 'all zero'],
		['unknown binding', machine({}, nic({ binding: { name: 'slirp9' } })), 'no binding plugin "slirp9"'],
		['binding of later', machine({}, nic({ sriov: {} })), 'binding sriov is not built'],
		['two bindings', machine({}, nic({ bridge: {}, masquerade: {} })), 'several bindings: bridge, masquerade'],
		['other model', machine({}, nic({ model: 'e1000e' })), 'model "e1000e"'],
		['no memory', machine({}, memory(0)), 'the memory of the machine is of no use: it is zero'],
		['memory that is no quantity', machine({}, memory('much')), '"much" is not a quantity'],
		['hostname', machine({}, { spec: { domain: {}, hostname: 'a init=/bin/sh' } }), 'spec.hostname'],
		['hypervisor', machine({}, { metadata: { annotations: { 'tapestry.io/hypervisor': 'x' } }, spec: { domain: {} } }), 'hypervisor "x"'],
		['volume', machine({}, { spec: { domain: {}, volumes: [{ name: 'a', dataVolume: { name: 'b' } }] } }), 'source dataVolume'],
	])('explains: %s', (_, vm, words) => {
		const problem = findProblem(vm);
		expect(problem && sentence(problem)).toContain(words);
		expect(problem?.fix).toBeTruthy();
	});

	it('finds the same in an instance that stands alone', () => {
		const instance = { metadata: { name: 'vmi' }, ...memory('0Mi') } as VirtualMachineInstance;
		expect(findInstanceProblem(instance)?.why).toBe('it is zero');
	});
});
