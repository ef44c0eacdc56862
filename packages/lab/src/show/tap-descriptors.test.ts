import { describe, expect, it } from 'vitest';
import { parseVirtioDevice, tapOfDescriptor } from './tap-descriptors.ts';

describe('tapOfDescriptor', () => {
	it("finds the tun driver's line", () => {
		expect(tapOfDescriptor('pos:\t0\nflags:\t0104002\nmnt_id:\t24\nino:\t94\niff:\ttapa3dd8ba2fe3\n')).toBe('tapa3dd8ba2fe3');
	});

	it('finds none in a descriptor of another kind', () => {
		expect(tapOfDescriptor('pos:\t0\nflags:\t02\nmnt_id:\t15\n')).toBeUndefined();
	});
});

describe('parseVirtioDevice', () => {
	it('reads key=value arguments', () => {
		const device = 'virtio-net-pci,netdev=net0,mac=02:58:0a:10:00:05,host_mtu=1442,romfile=,csum=off,gso=off,guest_csum=off';
		expect(parseVirtioDevice(['qemu-system-x86_64', '-device', device])).toEqual({
			model: 'virtio-net-pci',
			mac: '02:58:0a:10:00:05',
			mtu: 1442,
			checksumOffload: false,
		});
	});

	it("reads libvirt's JSON", () => {
		const device = '{"driver":"virtio-net-pci-non-transitional","host_mtu":1400,"netdev":"hostua-default","mac":"02:00:00:00:00:01"}';
		expect(parseVirtioDevice(['-device', device])).toEqual({
			model: 'virtio-net-pci-non-transitional',
			mac: '02:00:00:00:00:01',
			mtu: 1400,
			checksumOffload: true,
		});
	});

	it('does not take another device for a NIC', () => {
		expect(parseVirtioDevice(['-device', 'virtio-blk-pci,drive=d0', '-name', 'guest=virtio-net'])).toBeUndefined();
	});
});
