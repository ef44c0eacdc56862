import { describe, expect, it } from 'vitest';
import { guestImage } from '../guest/image.ts';
import { vmFiles } from './files.ts';
import type { Machine } from './machine.ts';
import { type QemuOptions, qemuArguments } from './qemu.ts';

const machine: Machine = {
	namespace: 'default',
	name: 'vm1',
	hostname: 'vm1',
	cpus: 2,
	memoryMiB: 256,
	graceSeconds: 30,
	nic: undefined,
	disks: [],
	shares: [],
	hypervisor: undefined,
};
const options: QemuOptions = {
	accelerator: 'tcg',
	image: guestImage('/guest'),
	files: vmFiles('/state'),
	nic: { tap: 'tap0', mac: '00:00:00:aa:bb:cc', mtu: 1442 },
	runAs: '107:107',
};

/** The values given for an option, in order. */
function valuesOf(option: string, change: Partial<QemuOptions> = {}, of: Machine = machine): readonly string[] {
	const args = qemuArguments(of, { ...options, ...change });
	return args.flatMap((arg, index) => (args[index - 1] === option ? [arg] : []));
}

describe('qemuArguments', () => {
	it('asks for the machine', () => {
		expect(valuesOf('-machine')).toEqual(['q35']);
		expect(valuesOf('-smp')).toEqual(['2']);
		expect(valuesOf('-m')).toEqual(['256M']);
	});

	it('emulates unless KVM works', () => {
		expect(valuesOf('-accel')).toEqual(['tcg,thread=multi']);
		expect(valuesOf('-cpu')).toEqual(['max']);
		expect(valuesOf('-accel', { accelerator: 'kvm' })).toEqual(['kvm']);
		expect(valuesOf('-cpu', { accelerator: 'kvm' })).toEqual(['host']);
	});

	it('opens the tap with vnet headers and lets the guest do the checksums', () => {
		expect(valuesOf('-netdev')).toEqual(['tap,id=net0,ifname=tap0,script=no,downscript=no,vnet_hdr=on']);
		const [device] = valuesOf('-device');
		expect(device).toMatch(/^virtio-net-pci,netdev=net0,mac=00:00:00:aa:bb:cc,host_mtu=1442,/);
		expect(device?.split(',').filter((part) => part.endsWith('=off'))).toHaveLength(11);
		expect(device).toContain(',csum=off,');
		expect(device).toContain(',guest_csum=off,');
	});

	it('has the console first: it is ttyS0 in the guest', () => {
		expect(valuesOf('-serial')).toEqual(['chardev:console', 'chardev:commands']);
	});

	it('tells the guest its name, and that there is no network', () => {
		expect(valuesOf('-append')[0]).toContain(' tapestry.hostname=vm1');
		expect(valuesOf('-append')[0]).not.toContain('tapestry.network');
		const { nic: _, ...without } = options;
		expect(qemuArguments(machine, without)).toEqual(expect.arrayContaining([expect.stringContaining('tapestry.network=none')]));
		expect(qemuArguments(machine, without)).not.toContain('-netdev');
	});

	it('does not let a comma in a name or path start another property', () => {
		expect(valuesOf('-name', {}, { ...machine, name: 'a,debug-threads=on' })).toEqual(['guest=a,,debug-threads=on']);
		const files = vmFiles('/a,b');
		expect(valuesOf('-chardev', { files })[2]).toBe('socket,id=qmp,path=/a,,b/qmp.sock');
	});
});

describe('vmFiles', () => {
	it('refuses a directory that is too deep for unix sockets', () => {
		expect(() => vmFiles(`/${'d'.repeat(100)}`)).toThrow(expect.objectContaining({ code: 'VM_PATH' }));
	});
});
