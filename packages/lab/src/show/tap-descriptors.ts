import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { labProcesses } from '../cleanup.ts';
import type { LabLayout } from '../layout.ts';

export interface TapOpener {
	readonly pid: number;
	/** Base name of its executable. */
	readonly executable: string;
	/** Its descriptors of the tap, one for each queue. */
	readonly descriptors: readonly number[];
	readonly argv: readonly string[];
}

/** The process of the lab that holds a tap open. A lifted tap is in another namespace than its holder: the descriptor alone joins them. */
export function findTapOpener(layout: LabLayout, device: string): TapOpener | undefined {
	for (const pid of labProcesses(layout)) {
		const descriptors = tapDescriptors(pid, device);
		if (descriptors.length === 0) continue;
		const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
		return { pid, executable: basename(readlinkSync(`/proc/${pid}/exe`)), descriptors, argv };
	}
	return undefined;
}

function tapDescriptors(pid: number, device: string): readonly number[] {
	try {
		return readdirSync(`/proc/${pid}/fdinfo`)
			.filter((fd) => tapOfDescriptor(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) === device)
			.map(Number);
	} catch {
		// It ended meanwhile.
		return [];
	}
}

/** The device in /proc/PID/fdinfo/FD: the tun driver's `iff:` line, under the device's name of now. */
export function tapOfDescriptor(fdinfo: string): string | undefined {
	return /^iff:\t(\S+)$/m.exec(fdinfo)?.[1];
}

export interface VirtioDevice {
	/** QEMU's name of the device: `virtio-net-pci`. */
	readonly model: string;
	readonly mac: string | undefined;
	/** The MTU that the device tells the guest. */
	readonly mtu: number | undefined;
	/** Whether the guest may leave checksums to the device. */
	readonly checksumOffload: boolean;
}

/** The NIC in QEMU's arguments, in its `key=value` form and in the JSON form that libvirt writes. */
export function parseVirtioDevice(argv: readonly string[]): VirtioDevice | undefined {
	const text = argv.find((argument) => /^(virtio-net|\{.*"driver":"virtio-net)/.test(argument));
	if (text === undefined) return undefined;
	const value = (key: string): string | undefined => new RegExp(`(?:^|[,{])"?${key}"?[=:]"?([^",}]+)`).exec(text)?.[1];
	const mtu = value('host_mtu');
	return {
		model: /virtio-net[a-z-]*/.exec(text)?.[0] ?? '',
		mac: value('mac'),
		mtu: mtu === undefined ? undefined : Number(mtu),
		checksumOffload: !['off', 'false'].includes(value('csum') ?? 'on'),
	};
}
