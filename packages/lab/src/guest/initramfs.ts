import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import { loadOrder, moduleAliases, moduleDependencies } from './kernel-module.ts';

/** What the guest needs of the kernel's modules: its NIC, and the power button with the way its events come. */
export const guestModules: readonly string[] = ['virtio_pci', 'virtio_net', 'button', 'evdev'];
/** What is loaded only in machines that have it: disks, cloud-init's file system, shared directories. */
export const optionalModules: readonly string[] = ['virtio_blk', 'isofs', 'virtiofs'];

const rootfs = fileURLToPath(new URL('./rootfs/', import.meta.url));
const directory = 0o040755;
const program = 0o100755;
const file = 0o100644;
const link = 0o120777;

/** A file of this machine that goes into the guest under `path`. */
export interface Program {
	readonly path: string;
	readonly source: string;
}

export interface InitramfsInput {
	/** Directory with the unpacked kernel package's modules, `lib/modules/VERSION`. */
	readonly modules: string;
	readonly busybox: string;
	/** The names that busybox answers to. */
	readonly applets: readonly string[];
	readonly programs: readonly Program[];
}

/** Our own files of the guest, by their path in it: the recipe, next to the packages. */
export function guestFiles(): readonly CpioEntry[] {
	const paths = (readdirSync(rootfs, { recursive: true }) as string[]).sort();
	return paths
		.filter((path) => statSync(join(rootfs, path)).isFile())
		.map((path) => ({ path, mode: path.endsWith('.conf') ? file : program, data: readFileSync(join(rootfs, path)) }));
}

/** The guest's root file system. */
export function buildInitramfs(input: InitramfsInput): Uint8Array {
	const files = [
		...guestFiles(),
		{ path: 'init', mode: link, data: Buffer.from('bin/busybox') },
		// Where the kernel looks for it.
		{ path: 'sbin/modprobe', mode: link, data: Buffer.from('../bin/busybox') },
		{ path: 'bin/busybox', mode: program, data: readFileSync(input.busybox) },
		...input.applets
			.filter((name) => name !== 'busybox')
			.map((name) => ({ path: `bin/${name}`, mode: link, data: Buffer.from('busybox') })),
		...input.programs.map(({ path, source }) => ({ path, mode: program, data: readFileSync(source) })),
		...moduleEntries(input.modules),
	];
	const mountPoints = ['dev', 'proc', 'sys', 'run', 'root', 'srv', 'tmp', 'var/lib/dhcpcd'];
	const directories = new Set([...mountPoints.map((path) => `${path}/.`), ...files.map(({ path }) => path)].flatMap(parents));
	const nameServers = { path: 'etc/resolv.conf', mode: file };
	return cpioArchive([...[...directories].sort().map((path) => ({ path, mode: directory })), nameServers, ...files]);
}

/** The modules, in the order in which those that every guest needs are loaded, and as modprobe finds the others: depmod(8), modules.dep(5). */
function moduleEntries(root: string): readonly CpioEntry[] {
	const directory = `lib/modules/${basename(root)}`;
	const objects = (readdirSync(root, { recursive: true }) as string[]).filter((path) => path.endsWith('.ko'));
	// A module's name has underscores where its file may have dashes.
	const byName = new Map(objects.map((path) => [basename(path, '.ko').replaceAll('-', '_'), path]));
	const read = (name: string): Uint8Array => readFileSync(join(root, byName.get(name) ?? `${name}.ko`));
	const needs = (name: string): readonly string[] => moduleDependencies(read(name));
	const all = loadOrder([...guestModules, ...optionalModules], needs);
	const dependencies = all.map((name) => `${name}.ko: ${closest(name).join(' ')}`.trimEnd());
	const aliases = all.flatMap((name) => moduleAliases(read(name)).map((alias) => `alias ${alias} ${name}`));
	const list = (name: string, lines: readonly string[]): CpioEntry => {
		return { path: `${directory}/${name}`, mode: file, data: Buffer.from(lines.map((line) => `${line}\n`).join('')) };
	};
	return [
		...all.map((name) => ({ path: `${directory}/${name}.ko`, mode: file, data: read(name) })),
		list('order', loadOrder(guestModules, needs)),
		list('modules.dep', dependencies),
		list('modules.alias', aliases),
	];

	/** All that a module needs, the closest first. */
	function closest(name: string): readonly string[] {
		return loadOrder([name], needs)
			.toReversed()
			.slice(1)
			.map((one) => `${one}.ko`);
	}
}

/** `a/b/c` lies in `a` and `a/b`. */
function parents(path: string): readonly string[] {
	const parts = path.split('/').slice(0, -1);
	return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
