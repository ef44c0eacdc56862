import { describe, expect, it } from 'vitest';
import type { MachineConfig } from '../config.ts';
import { vmFiles } from '../files.ts';
import { diskOf, machineConfig } from '../testing/machine-config.ts';
import { type QemuOptions, qemuArguments } from './arguments.ts';

const options: QemuOptions = { shares: [], runAs: '107:107' };

/** The values given for an option, in order. */
function valuesOf(option: string, change: Partial<MachineConfig> = {}, more: Partial<QemuOptions> = {}): readonly string[] {
	const args = qemuArguments({ ...machineConfig, ...change }, { ...options, ...more });
	return args.flatMap((arg, index) => (args[index - 1] === option ? [arg] : []));
}

const nicWith = (change: object) => ({ nic: machineConfig.nic && { ...machineConfig.nic, ...change } });

describe('qemuArguments', () => {
	it('asks for the machine', () => {
		expect(valuesOf('-machine')).toEqual(['q35']);
		expect(valuesOf('-smp')).toEqual(['2']);
		expect(valuesOf('-m')).toEqual(['256M']);
		expect(valuesOf('-runas')).toEqual(['107:107']);
	});

	it('emulates unless KVM works', () => {
		expect(valuesOf('-accel')).toEqual(['tcg,thread=multi']);
		expect(valuesOf('-cpu')).toEqual(['max']);
		expect(valuesOf('-accel', { accelerator: 'kvm' })).toEqual(['kvm']);
		expect(valuesOf('-cpu', { accelerator: 'kvm' })).toEqual(['host']);
	});

	it('starts the kernel itself, unless a disk boots', () => {
		expect(valuesOf('-kernel')).toEqual(['/guest/kernel']);
		expect(valuesOf('-append')).toEqual(['console=ttyS0 tapestry.hostname=vm1']);
		const fromDisk = { kernelArguments: undefined, disks: [diskOf('data'), diskOf('root', { boots: true, format: 'qcow2' })] };
		expect(valuesOf('-kernel', fromDisk)).toEqual([]);
		expect(valuesOf('-device', fromDisk).slice(0, 2)).toEqual(['virtio-blk-pci,drive=disk0', 'virtio-blk-pci,drive=disk1,bootindex=1']);
		expect(valuesOf('-blockdev', fromDisk).map((text) => JSON.parse(text))).toEqual([
			{ driver: 'file', filename: '/disks/data', 'node-name': 'disk0-file' },
			{ driver: 'raw', file: 'disk0-file', 'node-name': 'disk0' },
			{ driver: 'file', filename: '/disks/root', 'node-name': 'disk1-file' },
			{ driver: 'qcow2', file: 'disk1-file', 'node-name': 'disk1' },
		]);
	});

	it('counts the ports of the SATA bus by itself', () => {
		const disks = [diskOf('a'), diskOf('b', { bus: 'sata', serial: 'S1' }), diskOf('c', { bus: 'sata', device: 'cdrom', readOnly: true })];
		expect(valuesOf('-device', { disks }).slice(1, 3)).toEqual(['ide-hd,drive=disk1,bus=ide.0,serial=S1', 'ide-cd,drive=disk2,bus=ide.1']);
		expect(
			valuesOf('-blockdev', { disks })
				.slice(-2)
				.every((text) => JSON.parse(text)['read-only']),
		).toBe(true);
	});

	it.each([
		['a macvtap by a descriptor', { backend: { kind: 'descriptor', fd: 17 } }, 'tap,id=net0,fd=3'],
		['passt by its socket', { backend: { kind: 'stream', socket: '/s,t' } }, 'stream,id=net0,server=off,addr.type=unix,addr.path=/s,,t'],
		[
			'its own stack with the ports that are let in',
			{
				backend: {
					kind: 'user',
					listen: '10.16.0.7',
					forward: [
						{ protocol: 'tcp', port: 80 },
						{ protocol: 'udp', port: 53 },
					],
				},
			},
			'user,id=net0,hostfwd=tcp:10.16.0.7:80-:80,hostfwd=udp:10.16.0.7:53-:53',
		],
		['a tap with the help of the kernel', { vhost: true }, 'tap,id=net0,ifname=tap0,script=no,downscript=no,vnet_hdr=on,vhost=on'],
	])('reaches the network by %s', (_, change, netdev) => expect(valuesOf('-netdev', nicWith(change))).toEqual([netdev]));

	it('shares the memory of a guest whose NIC the switch serves, without MSI-X where that would crash QEMU', () => {
		const nic = nicWith({ queues: 2, backend: { kind: 'vhost-user', socket: '/run/s' } });
		expect(valuesOf('-machine', nic)).toEqual(['q35,memory-backend=memory']);
		expect(valuesOf('-netdev', nic)).toEqual(['vhost-user,id=net0,chardev=switch,queues=2']);
		expect(valuesOf('-chardev', nic)).toContain('socket,id=switch,path=/run/s,server=on');
		expect(valuesOf('-device', nic)[0]).toContain(',mq=on,vectors=0,');
		expect(valuesOf('-device', { ...nic, accelerator: 'kvm' })[0]).toContain(',mq=on,vectors=6,');
	});

	it('opens the tap with vnet headers and lets the guest do the checksums', () => {
		expect(valuesOf('-netdev')).toEqual(['tap,id=net0,ifname=tap0,script=no,downscript=no,vnet_hdr=on']);
		const [device] = valuesOf('-device');
		expect(device).toMatch(/^virtio-net-pci,netdev=net0,mac=00:00:00:aa:bb:cc,host_mtu=1442,romfile=,csum=off,gso=off,/);
		expect(device?.split(',').filter((part) => part.endsWith('=off'))).toHaveLength(11);
		expect(device).toContain(',guest_csum=off,');
	});

	it('opens as many queues as the machine asks for', () => {
		expect(valuesOf('-netdev', nicWith({ queues: 4 }))[0]).toMatch(/,queues=4$/);
		expect(valuesOf('-device', nicWith({ queues: 4 }))[0]).toContain(',mq=on,vectors=10,');
	});

	it('has no network where there is no NIC', () => {
		expect(valuesOf('-netdev', { nic: undefined })).toEqual([]);
		expect(valuesOf('-nic', { nic: undefined })).toEqual(['none']);
	});

	it('shares the memory with whoever serves its directories', () => {
		const shares = [{ tag: 'data', socket: '/s/0.sock' }];
		expect(valuesOf('-machine', {}, { shares })).toEqual(['q35,memory-backend=memory']);
		expect(valuesOf('-object', {}, { shares })).toEqual(['memory-backend-memfd,id=memory,size=256M,share=on']);
		expect(valuesOf('-device', {}, { shares })).toContain('vhost-user-fs-pci,chardev=share0,tag=data,vectors=0');
		expect(valuesOf('-device', { accelerator: 'kvm' }, { shares })).toContain('vhost-user-fs-pci,chardev=share0,tag=data');
	});

	it('has the console first: it is ttyS0 in the guest', () => {
		expect(valuesOf('-serial')).toEqual(['chardev:console', 'chardev:commands']);
	});

	it('does not let a comma in a name or path start another property', () => {
		expect(valuesOf('-name', { name: 'a,debug-threads=on' })).toEqual(['guest=a,,debug-threads=on']);
		expect(valuesOf('-chardev', { files: vmFiles('/a,b') })[2]).toBe('socket,id=observer,path=/a,,b/qmp.sock');
	});
});

describe('vmFiles', () => {
	it('refuses a directory that is too deep for unix sockets', () => {
		expect(() => vmFiles(`/${'d'.repeat(100)}`)).toThrow(expect.objectContaining({ code: 'VM_PATH' }));
	});
});
