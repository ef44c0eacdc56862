import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type CpioEntry, cpioArchive } from '../../guest/cpio.ts';
import { type GuestImage, guestImage } from '../../guest/image.ts';
import { loadOrder, moduleDependencies } from '../../guest/kernel-module.ts';
import { testImage } from '../../guest/testing/test-image.ts';
import { run } from '../../process.ts';

/** What a guest needs to use the volumes that a machine can have. */
const wanted = ['virtio_blk', 'isofs', 'virtiofs'];

/** The lab's guest with modules for volumes in /volumes; `loadVolumes` is the command that loads them. Built once for each guest image. */
export async function volumeImage(): Promise<GuestImage> {
	const base = await testImage();
	const image = guestImage(`${base.directory}.volumes`);
	if (existsSync(image.directory)) return image;
	const work = `${image.directory}.${process.pid}`;
	mkdirSync(work, { recursive: true });
	try {
		const deps = { env: process.env };
		const release = /Linux version (\S+)/.exec(readFileSync(base.kernel, 'latin1'))?.[1] ?? '';
		await run(deps, ['env', '-C', work, 'apt-get', '-q', 'download', `linux-image-${release}`], { timeoutMs: 300_000 });
		const [archive = ''] = readdirSync(work).filter((name) => name.endsWith('.deb'));
		await run(deps, ['dpkg-deb', '-x', join(work, archive), join(work, 'root')]);
		const built = join(work, 'image');
		mkdirSync(built);
		symlinkSync(base.kernel, join(built, 'kernel'));
		// The kernel unpacks one archive after the other.
		const modules = cpioArchive(moduleEntries(join(work, 'root/lib/modules', release)));
		writeFileSync(join(built, 'initrd'), Buffer.concat([readFileSync(base.initrd), modules]));
		renameSync(built, image.directory);
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	return image;
}

export const loadVolumes = 'for m in $(cat /volumes/order); do grep -q "^$m " /proc/modules || insmod /volumes/$m.ko; done';

function moduleEntries(root: string): readonly CpioEntry[] {
	const objects = (readdirSync(root, { recursive: true }) as string[]).filter((path) => path.endsWith('.ko'));
	const byName = new Map(objects.map((path) => [basename(path, '.ko').replaceAll('-', '_'), path]));
	// What is not there is built in.
	const read = (name: string): Uint8Array => readFileSync(join(root, byName.get(name) ?? ''));
	const order = loadOrder(wanted, (name) => moduleDependencies(read(name)));
	return [
		{ path: 'volumes', mode: 0o040755 },
		...order.map((name) => ({ path: `volumes/${name}.ko`, mode: 0o100644, data: read(name) })),
		{ path: 'volumes/order', mode: 0o100644, data: Buffer.from(`${order.join('\n')}\n`) },
	];
}
