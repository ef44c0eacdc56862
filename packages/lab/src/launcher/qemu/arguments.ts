import { disabledOffloads } from '@tapestry/host';
import type { MachineConfig, Nic } from '../config.ts';
import { type Disk, positionOnBus } from '../disks/prepare.ts';

/** Where a share's virtiofsd listens. */
export interface ShareSocket {
	readonly tag: string;
	readonly socket: string;
}

/** QEMU's number of the descriptor that a NIC may come with. */
export const nicDescriptor = 3;

export interface QemuOptions {
	readonly shares: readonly ShareSocket[];
	/** `UID:GID` to change to once all files, sockets and taps are open; only root can. */
	readonly runAs?: string;
}

/** The arguments of qemu-system-x86_64. Values that users choose are escaped (a comma is doubled) or in JSON, never split. */
export function qemuArguments(config: MachineConfig, { shares, runAs }: QemuOptions): readonly string[] {
	const { accelerator, image, kernelArguments, files, nic } = config;
	// Who serves a directory or the NIC reads and writes the guest's memory.
	const shared = shares.length > 0 || nic?.backend?.kind === 'vhost-user';
	return [
		...['-name', `guest=${escaped(config.name)}`],
		...['-nodefaults', '-no-user-config', '-display', 'none'],
		...['-machine', shared ? 'q35,memory-backend=memory' : 'q35'],
		...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
		...['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
		...['-smp', String(config.cpus)],
		...['-m', `${config.memoryMiB}M`],
		...(shared ? ['-object', `memory-backend-memfd,id=memory,size=${config.memoryMiB}M,share=on`] : []),
		...(kernelArguments === undefined ? [] : ['-kernel', image.kernel, '-initrd', image.initrd, '-append', kernelArguments]),
		...['-chardev', `socket,id=console,path=${escaped(files.consoleSocket)},server=on,wait=off,logfile=${escaped(files.consoleLog)}`],
		...['-serial', 'chardev:console'],
		...['-chardev', `socket,id=commands,path=${escaped(files.commandsSocket)}`],
		...['-serial', 'chardev:commands'],
		...monitorArguments(files.qmpSocket),
		...config.disks.flatMap((disk, index) => diskArguments(disk, index, positionOnBus(config.disks, disk))),
		...shares.flatMap((share, index) => shareArguments(share, index, accelerator === 'tcg')),
		...(nic ? nicArguments(nic, accelerator === 'tcg') : ['-nic', 'none']),
		...(runAs ? ['-runas', runAs] : []),
	];
}

/** A control connection to whoever listens. */
export function monitorArguments(socket: string): readonly string[] {
	return ['-chardev', `socket,id=observer,path=${escaped(socket)}`, '-mon', 'chardev=observer,mode=control'];
}

function nicArguments(nic: Nic, emulated: boolean): readonly string[] {
	const { mac, mtu, queues, backend } = nic;
	const host = disabledOffloads.host.map((name) => (name === 'csum' || name === 'gso' ? name : `host_${name}`));
	const offloads = [...host, ...disabledOffloads.guest.map((name) => `guest_${name}`)].map((name) => `${name}=off`);
	// A vector for each direction of each queue, one for the control queue and one for changes of configuration.
	const vectors = backend?.kind === 'vhost-user' && emulated ? 0 : 2 * queues + 2;
	const multiqueue = queues > 1 ? ['mq=on'] : [];
	const interrupts = queues > 1 || vectors === 0 ? [`vectors=${vectors}`] : [];
	const device = ['virtio-net-pci', 'netdev=net0', `mac=${mac}`, `host_mtu=${mtu}`, 'romfile=', ...multiqueue, ...interrupts, ...offloads];
	const socket = backend?.kind === 'vhost-user' ? ['-chardev', `socket,id=switch,path=${escaped(backend.socket)},server=on`] : [];
	return [...socket, '-netdev', backendOf(nic), '-device', device.join(',')];
}

function backendOf({ tap, queues, vhost = false, backend }: Nic): string {
	switch (backend?.kind) {
		case undefined:
			return [
				...['tap,id=net0', `ifname=${tap}`, 'script=no,downscript=no,vnet_hdr=on'],
				...(queues > 1 ? [`queues=${queues}`] : []),
				...(vhost ? ['vhost=on'] : []),
			].join(',');
		case 'descriptor':
			return `tap,id=net0,fd=${nicDescriptor}`;
		case 'stream':
			return `stream,id=net0,server=off,addr.type=unix,addr.path=${escaped(backend.socket)}`;
		case 'vhost-user':
			return `vhost-user,id=net0,chardev=switch,queues=${queues}`;
		case 'user': {
			const forward = backend.forward.map(({ protocol, port }) => `hostfwd=${protocol}:${backend.listen}:${port}-:${port}`);
			return ['user,id=net0', ...forward].join(',');
		}
	}
}

function diskArguments(disk: Disk, index: number, position: number): readonly string[] {
	const node = `disk${index}`;
	const readOnly = disk.readOnly ? { 'read-only': true } : {};
	const file = { driver: 'file', filename: disk.path, 'node-name': `${node}-file`, ...readOnly };
	const format = { driver: disk.format, file: file['node-name'], 'node-name': node, ...readOnly };
	const model = disk.bus === 'virtio' ? 'virtio-blk-pci' : disk.device === 'cdrom' ? 'ide-cd' : 'ide-hd';
	const device = [
		model,
		`drive=${node}`,
		...(disk.bus === 'sata' ? [`bus=ide.${position}`] : []),
		...(disk.serial === undefined ? [] : [`serial=${disk.serial}`]),
		...(disk.boots ? ['bootindex=1'] : []),
	];
	return ['-blockdev', JSON.stringify(file), '-blockdev', JSON.stringify(format), '-device', device.join(',')];
}

function shareArguments({ tag, socket }: ShareSocket, index: number, emulated: boolean): readonly string[] {
	// Without KVM this QEMU has no irqfd and crashes when a vhost-user device uses MSI-X.
	const device = ['vhost-user-fs-pci', `chardev=share${index}`, `tag=${tag}`, ...(emulated ? ['vectors=0'] : [])];
	return ['-chardev', `socket,id=share${index},path=${escaped(socket)}`, '-device', device.join(',')];
}

function escaped(value: string): string {
	return value.replaceAll(',', ',,');
}
