import { annotations, type Subnet, type VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { wayOf } from './machine.ts';

const instance = (nic: object, mode?: string) =>
	({
		metadata: { name: 'vm', annotations: mode === undefined ? {} : { [annotations.attachmentMode]: mode } },
		spec: { domain: { devices: { interfaces: [{ name: 'default', ...nic }] } }, networks: [{ name: 'default', pod: {} }] },
	}) as VirtualMachineInstance;
const subnet = (mode?: string) =>
	({
		metadata: { name: 'blue', annotations: mode === undefined ? {} : { [annotations.attachmentMode]: mode } },
		spec: {},
	}) as Subnet;

describe('wayOf', () => {
	it('has the ports that are let in, TCP unless they say UDP', () => {
		expect(wayOf(instance({ ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }, { name: 'none' }] }), subnet(), false)).toEqual({
			mode: 'lift',
			forward: [
				{ protocol: 'tcp', port: 80 },
				{ protocol: 'udp', port: 53 },
			],
		});
		expect(wayOf(instance({}), subnet('lift'), false)).toEqual({ mode: 'lift' });
	});

	it('names the subnet whose default is no mode', () => {
		expect(() => wayOf(instance({}), subnet('fast'), false)).toThrow(/of subnet blue asks for "fast".*fix: use one of lift/);
		expect(wayOf(instance({}, 'lift'), subnet('fast'), false)).toEqual({ mode: 'lift' });
	});

	it('leaves a launcher where it was made when the subnet has another mind by now', () => {
		expect(wayOf(instance({}), subnet(), true)).toMatchObject({ mode: 'tap', hostTap: expect.stringMatching(/^vmt/) });
		expect(wayOf(instance({}), subnet('tap'), false)).toEqual({ mode: 'lift' });
	});
});
