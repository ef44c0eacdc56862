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

	it('has the NIC of the node that a macvtap is on', () => {
		const asks = (mode: string, parent?: string): VirtualMachineInstance => {
			const { metadata, spec } = instance({}, mode);
			const more = parent === undefined ? {} : { [annotations.macvtapParent]: parent };
			return { metadata: { ...metadata, annotations: { ...metadata.annotations, ...more } }, spec } as VirtualMachineInstance;
		};
		expect(wayOf(asks('macvtap', 'eth1'), subnet(), false)).toEqual({ mode: 'macvtap', parent: 'eth1' });
		expect(wayOf(asks('macvtap'), subnet(), false)).toEqual({ mode: 'macvtap' });
		expect(() => wayOf(asks('lift', 'eth1'), subnet(), false)).toThrow(/macvtap-parent means nothing to a machine .* by lift/);
		expect(() => wayOf(asks('macvtap', 'a/b'), subnet(), false)).toThrow(/"a\/b", which is no name of a device/);
	});
});
