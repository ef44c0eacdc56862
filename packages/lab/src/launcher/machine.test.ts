import type { VirtualMachineInstanceSpec } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { machineOf } from './machine.ts';

const limits = { cpus: 4, memoryMiB: 2048 };
const machine = (domain: VirtualMachineInstanceSpec['domain'], more: Partial<VirtualMachineInstanceSpec> = {}) =>
	machineOf({ metadata: { name: 'vm1' }, spec: { domain, ...more } }, limits);

describe('machineOf', () => {
	it('has defaults for a machine that asks for nothing', () => {
		expect(machine({})).toEqual({
			namespace: 'default',
			name: 'vm1',
			hostname: 'vm1',
			cpus: 1,
			memoryMiB: 256,
			graceSeconds: 30,
			nic: { network: 'default', queues: 1 },
			disks: [],
			shares: [],
			hypervisor: undefined,
			hooks: [],
		});
	});

	it('takes what the domain says before what it requests', () => {
		expect(machine({ memory: { guest: '1Gi' }, resources: { requests: { memory: '512Mi' } } }).memoryMiB).toBe(1024);
		expect(machine({ resources: { requests: { memory: '512Mi' } } }).memoryMiB).toBe(512);
		expect(machine({ cpu: { cores: 2 }, resources: { requests: { cpu: '3' } } }).cpus).toBe(2);
		expect(machine({ resources: { requests: { cpu: '1500m' } } }).cpus).toBe(2);
	});

	it('multiplies sockets, cores and threads', () => {
		expect(machine({ cpu: { sockets: 2, threads: 2 } }).cpus).toBe(4);
	});

	it('stays within what the guest needs and the host has', () => {
		expect(machine({ memory: { guest: '64M' } }).memoryMiB).toBe(128);
		expect(machine({ memory: { guest: '1Ti' }, cpu: { cores: 64 } })).toMatchObject({ memoryMiB: 2048, cpus: 4 });
	});

	it('has a queue for each processor that is asked for when it asks for queues', () => {
		const cpu = { cores: 2, sockets: 3 };
		expect(machine({ cpu }).nic?.queues).toBe(1);
		expect(machine({ cpu, devices: { networkInterfaceMultiqueue: true } })).toMatchObject({ cpus: 4, nic: { queues: 6 } });
	});

	it('has no NIC when it wants none', () => {
		const devices: object = { autoattachPodInterface: false };
		expect(machine({ devices }).nic).toBeUndefined();
		const networks = [{ name: 'front', pod: {} }];
		const domain = { devices: { ...devices, interfaces: [{ name: 'front', bridge: {} }] } };
		expect(machine(domain, { networks }).nic?.network).toBe('front');
	});

	it("is called in the guest by the first label of the machine's name", () => {
		const named = (name: string) => machineOf({ metadata: { name }, spec: { domain: {} } }, limits).hostname;
		expect(named('db.prod')).toBe('db');
		expect(named(`${'x'.repeat(62)}-yz`)).toBe('x'.repeat(62));
	});

	it('keeps the name and the grace that were asked for', () => {
		expect(machine({}, { hostname: 'db', terminationGracePeriodSeconds: 0 })).toMatchObject({ hostname: 'db', graceSeconds: 0 });
	});
});
