import { describe, expect, it } from 'vitest';
import type { MachineConfig } from '../config.ts';
import { diskOf, machineConfig } from '../testing/machine-config.ts';
import { domainXml } from './domain-xml.ts';

const xml = (change: Partial<MachineConfig> = {}) => domainXml({ ...machineConfig, ...change });
/** The first element of this name, with all that is in it. */
const part = (text: string, name: string) => new RegExp(`<${name}[ >].*?</${name}>`).exec(text)?.[0];

describe('domainXml', () => {
	it("describes the NIC in KubeVirt's shape, with an unmanaged tap and no offloads", () => {
		expect(part(xml(), 'interface')).toBe(
			[
				"<interface type='ethernet'><alias name='ua-default'/><target dev='tap0' managed='no'/><model type='virtio-non-transitional'/>",
				"<mac address='00:00:00:aa:bb:cc'/><mtu size='1442'/><driver>",
				"<host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off'/><guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/>",
				"</driver><rom enabled='no'/></interface>",
			].join(''),
		);
		const { nic } = machineConfig;
		expect(xml({ nic: nic && { ...nic, queues: 4 } })).toContain("<driver queues='4'><host");
		expect(xml({ nic: undefined })).not.toContain('<interface');
	});

	it('emulates unless KVM works', () => {
		expect(xml()).toMatch(/^<domain type='qemu' .*<cpu mode='maximum'\/>/);
		expect(xml({ accelerator: 'kvm' })).toMatch(/^<domain type='kvm' .*<cpu mode='host-passthrough'\/>/);
	});

	it('starts the kernel itself, unless a disk boots', () => {
		expect(xml()).toContain('<kernel>/guest/kernel</kernel><initrd>/guest/initrd</initrd><cmdline>console=ttyS0 ');
		const fromDisk = xml({ kernelArguments: undefined, disks: [diskOf('root', { boots: true, format: 'qcow2', serial: 'S1' })] });
		expect(fromDisk).not.toContain('<kernel>');
		expect(part(fromDisk, 'disk')).toBe(
			"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/disks/root'/><target dev='vda' bus='virtio'/>" +
				"<serial>S1</serial><boot order='1'/><alias name='ua-root'/></disk>",
		);
	});

	it('names the devices of each bus from its first letter on', () => {
		const disks = [diskOf('a'), diskOf('b', { bus: 'sata', device: 'cdrom', readOnly: true }), diskOf('c')];
		expect([...xml({ disks }).matchAll(/<target dev='(..)?(.)' bus/g)].map(([, bus, letter]) => `${bus}${letter}`)).toEqual([
			'vda',
			'sda',
			'vdb',
		]);
		expect(xml({ disks })).toContain("<target dev='sda' bus='sata'/><readonly/>");
	});

	it('has the console first, and connects to the launcher', () => {
		expect(xml()).toMatch(/path='\/state\/console.sock'.*path='\/state\/commands.sock'.*path=\/state\/qmp.sock/);
	});

	it('shares directories, and the memory with whoever serves them', () => {
		const shared = xml({ shares: [{ tag: 'data', path: '/srv/data' }] });
		expect(shared).toContain("<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>");
		expect(part(shared, 'filesystem')).toContain("<source dir='/srv/data'/><target dir='data'/><alias name='ua-data'/>");
		expect(shared).toContain("<qemu:device alias='ua-data'>");
		expect(xml({ accelerator: 'kvm', shares: [{ tag: 'data', path: '/srv/data' }] })).not.toContain('qemu:override');
	});

	it('marks its QEMU, and takes no mark-up from what it is given', () => {
		const marked = xml({ environment: { TAPESTRY_LAB: '/a\'b<c>&"' } });
		expect(marked).toContain("<qemu:env name='TAPESTRY_LAB' value='/a&apos;b&lt;c&gt;&amp;&quot;'/>");
	});
});
