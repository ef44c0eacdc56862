import { chownSync, closeSync, existsSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import { type ProcessDeps, run } from '../../process.ts';
import type { DiskContent, MachineDisk } from '../volumes.ts';
import { cloudInitImage } from './cloud-init-image.ts';
import { type ImageFormat, imageFormat } from './image-file.ts';

/** A disk whose file is there. */
export interface Disk extends Omit<MachineDisk, 'content'> {
	readonly path: string;
	readonly format: ImageFormat;
}

/** Which of the devices of its bus a disk is, from 0. */
export function positionOnBus(disks: readonly Disk[], disk: Disk): number {
	return disks.filter(({ bus }) => bus === disk.bus).indexOf(disk);
}

/**
 * Makes the files of a machine's disks, new ones in `directory`. What the guest writes belongs to the VMM's user, as in KubeVirt.
 * @throws VM_DISK with what is wrong with which disk
 */
export async function prepareDisks(
	deps: ProcessDeps,
	disks: readonly MachineDisk[],
	options: { readonly directory: string; readonly signal: AbortSignal },
): Promise<readonly Disk[]> {
	if (disks.length > 0) mkdirSync(options.directory, { recursive: true });
	return Promise.all(
		disks.map(async ({ content, ...disk }) => {
			try {
				const path = await fileOf(deps, disk, content, options);
				if (!disk.readOnly) chownSync(path, vmmUser, vmmUser);
				return { ...disk, path, format: imageFormat(path) };
			} catch (cause) {
				throw diskError(disk.name, content, cause);
			}
		}),
	);
}

async function fileOf(
	deps: ProcessDeps,
	{ name, readOnly }: Omit<MachineDisk, 'content'>,
	content: DiskContent,
	{ directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<string> {
	switch (content.kind) {
		case 'host-file':
			if (content.createBytes !== undefined && !existsSync(content.path)) makeSparse(content.path, content.createBytes);
			return content.path;
		case 'template': {
			const format = imageFormat(content.path);
			if (readOnly) return content.path;
			const path = join(directory, `${name}.qcow2`);
			rmSync(path, { force: true });
			await run(deps, ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', format, '-b', content.path, path], { signal });
			return path;
		}
		case 'empty': {
			const path = join(directory, `${name}.raw`);
			rmSync(path, { force: true });
			makeSparse(path, content.bytes);
			return path;
		}
		case 'cloud-init': {
			const path = join(directory, `${name}.iso`);
			writeFileSync(path, cloudInitImage(content.files));
			return path;
		}
	}
}

function makeSparse(path: string, bytes: number): void {
	const file = openSync(path, 'wx');
	try {
		ftruncateSync(file, bytes);
	} finally {
		closeSync(file);
	}
}

function diskError(name: string, content: DiskContent, cause: unknown): CodedError {
	const what = `disk "${name}" cannot be attached`;
	const { code } = cause as NodeJS.ErrnoException;
	if ((content.kind === 'host-file' || content.kind === 'template') && code === 'ENOENT') {
		const why = `there is no file ${content.path} on this node`;
		return new CodedError('VM_DISK', { what, why, fix: 'put the image there, or correct the path of the volume' }, { cause });
	}
	return new CodedError('VM_DISK', { what, why: messageOf(cause) }, { cause });
}
