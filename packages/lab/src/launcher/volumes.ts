import { CodedError, type ErrorText } from '@tapestry/base';
import type { VirtualMachineInstanceSpec } from '@tapestry/network';
import { parseAmount } from './quantity.ts';

/** What a disk holds. */
export type DiskContent =
	/** An image file of the node, read and written in place; made with this size when it is missing. */
	| { readonly kind: 'host-file'; readonly path: string; readonly createBytes?: number }
	/** An image file of the node, which stays as it is: what the guest writes is gone when the machine ends. */
	| { readonly kind: 'template'; readonly path: string }
	/** A new disk, gone when the machine ends. */
	| { readonly kind: 'empty'; readonly bytes: number }
	/** The files of a NoCloud data source. */
	| { readonly kind: 'cloud-init'; readonly files: Readonly<Record<string, string>> };

export interface MachineDisk {
	/** Name of the volume. */
	readonly name: string;
	readonly content: DiskContent;
	readonly device: 'disk' | 'cdrom';
	readonly bus: 'virtio' | 'sata';
	readonly readOnly: boolean;
	/** What the guest shows as the disk's serial number. */
	readonly serial?: string;
	/** True for the one disk that the firmware starts from. */
	readonly boots: boolean;
}

/** A directory of the node that the guest mounts by virtio-fs. */
export interface MachineShare {
	/** Name of the volume; the guest mounts it by this tag. */
	readonly tag: string;
	readonly path: string;
}

export interface MachineVolumes {
	readonly disks: readonly MachineDisk[];
	readonly shares: readonly MachineShare[];
}

// KubeVirt's fields that the API's schema passes along (v1.Volume, v1.Disk, v1.Filesystem).
interface Volume {
	readonly name: string;
	readonly containerDisk?: { readonly image?: string; readonly path?: string };
	readonly hostDisk?: { readonly path?: string; readonly type?: string; readonly capacity?: string | number };
	readonly emptyDisk?: { readonly capacity?: string | number };
	readonly cloudInitNoCloud?: CloudInit;
	readonly containerPath?: { readonly path?: string };
}

interface CloudInit {
	readonly userData?: string;
	readonly userDataBase64?: string;
	readonly networkData?: string;
	readonly networkDataBase64?: string;
	readonly secretRef?: unknown;
	readonly networkDataSecretRef?: unknown;
}

interface Target {
	readonly bus?: string;
	readonly readonly?: boolean;
}

interface Disk {
	readonly name: string;
	readonly disk?: Target;
	readonly cdrom?: Target;
	readonly lun?: Target;
	readonly bootOrder?: number;
	readonly serial?: string;
}

interface Filesystem {
	readonly name: string;
	readonly virtiofs?: object;
}

const offered = 'use hostDisk, containerDisk, emptyDisk, cloudInitNoCloud, or containerPath for a directory';
/** The length of the tag in virtio-fs' configuration (Virtual I/O Device specification, "File System Device"). */
const longestTag = 36;

/** @param guest what cloud-init tells the guest. @throws VM_VOLUME, VM_QUANTITY */
export function volumesOf(
	spec: VirtualMachineInstanceSpec,
	guest: { readonly instanceId: string; readonly hostname: string },
): MachineVolumes {
	const volumes = (spec.volumes ?? []) as readonly Volume[];
	const devices = (spec.domain.devices ?? {}) as { readonly disks?: readonly Disk[]; readonly filesystems?: readonly Filesystem[] };
	const { disks = [], filesystems = [] } = devices;
	checkNames([...disks, ...filesystems], volumes);
	// As in KubeVirt, a volume that no device names is a disk.
	const named = new Set([...disks, ...filesystems].map(({ name }) => name));
	const all = [...disks, ...volumes.filter(({ name }) => !named.has(name)).map(({ name }): Disk => ({ name }))];
	const volumeOf = (name: string): Volume => volumes.find((volume) => volume.name === name) ?? { name };
	const entries = all.map((disk) => ({ disk, content: contentOf(volumeOf(disk.name), guest) }));
	const first = bootEntry(entries);
	const attached = entries.flatMap((entry) => (entry.content === 'guest' ? [] : [diskOf(entry.disk, entry.content, entry === first)]));
	for (const bus of ['virtio', 'sata'] as const) checkRoom(bus, attached);
	return {
		disks: attached,
		shares: filesystems.map((filesystem) => shareOf(filesystem, volumeOf(filesystem.name))),
	};
}

/** Ports of the machine type q35's SATA controller; slots of its PCI bus that are left beside everything else. */
const room = { sata: 6, virtio: 16 } as const;

function checkRoom(bus: keyof typeof room, disks: readonly MachineDisk[]): void {
	const beyond = disks.filter((disk) => disk.bus === bus)[room[bus]];
	if (beyond === undefined) return;
	const why = `a machine has at most ${room[bus]} disks on bus ${bus}`;
	refuse({ what: `disk "${beyond.name}" cannot be attached`, why, fix: 'remove some, or use the other bus' });
}

interface Entry {
	readonly disk: Disk;
	/** `guest` for a container disk without a file: no image is pulled, the lab's guest stands in for it. */
	readonly content: DiskContent | 'guest';
}

/** What the machine starts from; the lab's guest, when it is not a disk with an image. */
function bootEntry(entries: readonly Entry[]): Entry | undefined {
	const rank = ({ disk }: Entry): number => disk.bootOrder ?? Number.MAX_SAFE_INTEGER;
	const bootable = entries.filter(({ content }) => content === 'guest' || content.kind === 'host-file' || content.kind === 'template');
	return bootable.sort((a, b) => rank(a) - rank(b))[0];
}

function diskOf({ name, disk, cdrom, lun, serial }: Disk, content: DiskContent, boots: boolean): MachineDisk {
	const what = `disk "${name}" cannot be attached`;
	if (lun !== undefined) refuse({ what, why: 'LUNs are not offered', fix: 'use disk: {} or cdrom: {}' });
	const target = cdrom ?? disk ?? {};
	const bus = target.bus ?? (cdrom ? 'sata' : 'virtio');
	if (bus !== 'virtio' && bus !== 'sata') refuse({ what, why: `bus "${bus}" is not offered`, fix: 'use bus: virtio or bus: sata' });
	const device = cdrom ? 'cdrom' : 'disk';
	if (cdrom && bus !== 'sata') refuse({ what, why: `a CD-ROM cannot be on bus ${bus}`, fix: 'use bus: sata' });
	const readOnly = device === 'cdrom' || target.readonly === true || content.kind === 'cloud-init';
	if (serial !== undefined && !/^[\w.+-]{1,36}$/.test(serial)) {
		refuse({ what, why: `serial "${serial}" is malformed`, fix: 'use at most 36 letters, digits and . _ + -' });
	}
	return { name, content, device, bus, readOnly, ...(serial === undefined ? {} : { serial }), boots };
}

function contentOf(volume: Volume, guest: { readonly instanceId: string; readonly hostname: string }): Entry['content'] {
	const { name, containerDisk, hostDisk, emptyDisk, cloudInitNoCloud, containerPath } = volume;
	const what = `volume "${name}" cannot be used`;
	if (containerDisk) return containerDisk.path === undefined ? 'guest' : { kind: 'template', path: absolute(what, containerDisk.path) };
	if (hostDisk) {
		const path = absolute(what, hostDisk.path);
		if (hostDisk.type !== 'DiskOrCreate') return { kind: 'host-file', path };
		return { kind: 'host-file', path, createBytes: parseAmount(hostDisk.capacity ?? '', `the capacity of volume "${name}"`) };
	}
	if (emptyDisk) return { kind: 'empty', bytes: parseAmount(emptyDisk.capacity ?? '', `the capacity of volume "${name}"`) };
	if (cloudInitNoCloud) return { kind: 'cloud-init', files: cloudInitFiles(what, cloudInitNoCloud, guest) };
	if (containerPath) refuse({ what, why: 'a directory is not a disk', fix: 'name it in devices.filesystems, with virtiofs: {}' });
	const given = Object.keys(volume).filter((key) => key !== 'name');
	refuse({ what, why: given.length === 0 ? 'it has no source' : `source ${given.join(', ')} is not offered`, fix: offered });
}

/** Source: cloud-init, "NoCloud"; the metadata are KubeVirt's. */
function cloudInitFiles(
	what: string,
	source: CloudInit,
	guest: { readonly instanceId: string; readonly hostname: string },
): Readonly<Record<string, string>> {
	if (source.secretRef !== undefined || source.networkDataSecretRef !== undefined) {
		refuse({ what, why: 'secrets are not read', fix: 'use userData and networkData' });
	}
	const decoded = (text: string | undefined): string | undefined =>
		text === undefined ? undefined : Buffer.from(text, 'base64').toString();
	const network = source.networkData ?? decoded(source.networkDataBase64);
	return {
		'meta-data': JSON.stringify({ 'instance-id': guest.instanceId, 'local-hostname': guest.hostname }),
		'user-data': source.userData ?? decoded(source.userDataBase64) ?? '',
		...(network === undefined ? {} : { 'network-config': network }),
	};
}

function shareOf({ name, virtiofs }: Filesystem, { containerPath }: Volume): MachineShare {
	const what = `filesystem "${name}" cannot be shared`;
	if (virtiofs === undefined) refuse({ what, why: 'it names no way of sharing', fix: 'write virtiofs: {}' });
	if (containerPath === undefined) {
		refuse({ what, why: 'its volume is not a directory', fix: 'give the volume a containerPath: {path: /a/directory/of/the/node}' });
	}
	if (Buffer.byteLength(name) > longestTag) refuse({ what, why: 'its name is too long', fix: `use at most ${longestTag} characters` });
	return { tag: name, path: absolute(what, containerPath.path) };
}

function checkNames(devices: readonly { readonly name: string }[], volumes: readonly { readonly name: string }[]): void {
	for (const [kind, names] of [
		['disks or filesystems', devices.map(({ name }) => name)],
		['volumes', volumes.map(({ name }) => name)],
	] as const) {
		const twice = names.find((name, index) => names.indexOf(name) !== index);
		if (twice !== undefined) refuse({ what: `two ${kind} are called "${twice}"`, fix: 'give each a name of its own' });
		const malformed = names.find((name) => !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name));
		if (malformed !== undefined) {
			refuse({
				what: `"${malformed}" cannot name a volume`,
				why: 'it is not a DNS label',
				fix: 'use lower-case letters, digits and dashes',
			});
		}
	}
	const alone = devices.find(({ name }) => !volumes.some((volume) => volume.name === name));
	if (alone === undefined) return;
	refuse({
		what: `disk or filesystem "${alone.name}" is not usable`,
		why: 'there is no volume of this name',
		fix: 'add the volume or remove it',
	});
}

function absolute(what: string, path: string | undefined): string {
	if (path?.startsWith('/')) return path;
	refuse({ what, why: `"${path ?? ''}" is not an absolute path`, fix: 'name a file of the node, from / on' });
}

function refuse(text: ErrorText): never {
	throw new CodedError('VM_VOLUME', text);
}
