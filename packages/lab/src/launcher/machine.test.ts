import type { VirtualMachineInstanceSpec } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { machineOf } from './machine.ts';
import { parseQuantity } from './quantity.ts';

const limits = { cpus: 4, memoryMiB: 2048 };
const machine = (domain: VirtualMachineInstanceSpec['domain'], more: Partial<VirtualMachineInstanceSpec> = {}) =>
	machineOf({ metadata: { name: 'vm1' }, spec: { domain, ...more } }, limits);

describe('machineOf', () => {
	it('has defaults for a machine that asks for nothing', () => {
		expect(machine({})).toEqual({ name: 'vm1', hostname: 'vm1', cpus: 1, memoryMiB: 256, graceSeconds: 30 });
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

	it('keeps the name and the grace that were asked for', () => {
		expect(machine({}, { hostname: 'db', terminationGracePeriodSeconds: 0 })).toMatchObject({ hostname: 'db', graceSeconds: 0 });
	});
});

describe('parseQuantity', () => {
	it.each([
		['64M', 64_000_000],
		['1Gi', 1_073_741_824],
		['1.5Ki', 1536],
		['500m', 0.5],
		[2, 2],
	])('reads %s', (text, value) => expect(parseQuantity(text)).toBe(value));

	it.each(['', 'much', '1 Gi', '-1', '1GiB'])('refuses "%s"', (text) => {
		expect(() => parseQuantity(text)).toThrow(expect.objectContaining({ code: 'VM_QUANTITY' }));
	});
});
