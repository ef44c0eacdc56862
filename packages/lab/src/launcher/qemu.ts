import type { Accelerator } from '../guest/accelerator.ts';
import type { GuestImage } from '../guest/image.ts';
import type { VmFiles } from './files.ts';
import type { Machine } from './machine.ts';

export interface Nic {
	/** Name of an existing tap in the namespace where QEMU starts. */
	readonly tap: string;
	readonly mac: string;
	readonly mtu: number;
}

export interface QemuOptions {
	readonly accelerator: Accelerator;
	readonly image: GuestImage;
	readonly files: VmFiles;
	/** None for a machine without a network. */
	readonly nic?: Nic;
	/** `UID:GID` to change to once all files, sockets and taps are open; only root can. */
	readonly runAs?: string;
}

/** What every guest of the lab boots with: nothing that waits, calibrates or guards against its own host. */
const kernelArguments = [
	'console=ttyS0',
	'quiet',
	'panic=-1',
	'tsc=reliable',
	'no_timer_check',
	'nokaslr',
	'mitigations=off',
	'random.trust_cpu=on',
	'rcupdate.rcu_expedited=1',
];

/**
 * Offloads leave checksums to a device. Between a tap and the userspace datapath there is none, so packets would arrive with wrong
 * checksums: the guest has to compute them. Both ends of a migration must agree on these.
 */
const offloads = [
	...['csum', 'gso', 'host_tso4', 'host_tso6', 'host_ecn', 'host_ufo'],
	...['guest_csum', 'guest_tso4', 'guest_tso6', 'guest_ecn', 'guest_ufo'],
];

/** The arguments of qemu-system-x86_64. Values that users choose are escaped (a comma is doubled), never split. */
export function qemuArguments(machine: Machine, options: QemuOptions): readonly string[] {
	const { accelerator, image, files, nic, runAs } = options;
	return [
		...['-name', `guest=${escaped(machine.name)}`],
		...['-nodefaults', '-no-user-config', '-display', 'none'],
		...['-machine', 'q35'],
		...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
		...['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
		...['-smp', String(machine.cpus)],
		...['-m', `${machine.memoryMiB}M`],
		...['-kernel', image.kernel, '-initrd', image.initrd],
		...['-append', [...kernelArguments, `tapestry.hostname=${machine.hostname}`, ...(nic ? [] : ['tapestry.network=none'])].join(' ')],
		...['-chardev', `socket,id=console,path=${escaped(files.consoleSocket)},server=on,wait=off,logfile=${escaped(files.consoleLog)}`],
		...['-serial', 'chardev:console'],
		...['-chardev', `socket,id=commands,path=${escaped(files.commandsSocket)}`],
		...['-serial', 'chardev:commands'],
		...['-chardev', `socket,id=qmp,path=${escaped(files.qmpSocket)}`],
		...['-mon', 'chardev=qmp,mode=control'],
		...(nic ? nicArguments(nic) : ['-nic', 'none']),
		...(runAs ? ['-runas', runAs] : []),
	];
}

function nicArguments({ tap, mac, mtu }: Nic): readonly string[] {
	const device = ['virtio-net-pci', 'netdev=net0', `mac=${mac}`, `host_mtu=${mtu}`, 'romfile=', ...offloads.map((name) => `${name}=off`)];
	return ['-netdev', `tap,id=net0,ifname=${tap},script=no,downscript=no,vnet_hdr=on`, '-device', device.join(',')];
}

function escaped(value: string): string {
	return value.replaceAll(',', ',,');
}
