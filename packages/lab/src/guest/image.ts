import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError, messageOf } from '@tapestry/base';
import { type ProcessDeps, run } from '../process.ts';
import { readLists } from '../setup/apt.ts';
import { buildInitramfs, guestFiles, guestModules, optionalModules, type Program } from './initramfs.ts';
import { extractElfKernel } from './kernel-image.ts';
import { counterProgram, counterSource } from './time-stamp-counter.ts';

/** What QEMU boots. */
export interface GuestImage {
	readonly directory: string;
	readonly kernel: string;
	readonly initrd: string;
}

/** Raise it when this program builds another image from the same files. */
const recipeVersion = 3;
const kernelPackage = 'linux-image-cloud-amd64';
/** Downloaded for its program: the DHCP client. */
const clientPackage = { name: 'dhcpcd-base', program: 'usr/sbin/dhcpcd' } as const;
/** Compiled here: busybox-static has nothing that answers datagrams. */
const echoSource = fileURLToPath(new URL('./udp-echo.c', import.meta.url));
/** What both are linked with: the C library and its loader, at the places that it looks for them. */
const libraries = ['lib/x86_64-linux-gnu/libc.so.6', 'lib64/ld-linux-x86-64.so.2'];

/** The image in a directory made by `buildGuestImage`. */
export function guestImage(directory: string): GuestImage {
	return { directory, kernel: join(directory, 'kernel'), initrd: join(directory, 'initrd') };
}

/** Changes when the guest's files or the way to build it change; names the image's directory in a cache. */
function guestRecipe(): string {
	const hash = createHash('sha256').update(JSON.stringify([recipeVersion, kernelPackage, clientPackage, guestModules, optionalModules]));
	for (const source of [echoSource, counterSource]) hash.update(readFileSync(source));
	for (const { path, mode, data } of guestFiles()) hash.update(`\0${path}\0${mode}\0`).update(data ?? '');
	return hash.digest('hex').slice(0, 16);
}

/**
 * Builds the lab's guest from Debian packages, which are downloaded and unpacked, not installed. Does nothing when `cache` already has this
 * recipe's image.
 * @throws GUEST_BUILD when a package cannot be had or nothing can be compiled
 */
export async function buildGuestImage(deps: ProcessDeps, cache: string, signal?: AbortSignal): Promise<GuestImage> {
	const image = guestImage(join(cache, guestRecipe()));
	if (existsSync(image.directory)) return image;
	mkdirSync(cache, { recursive: true });
	const work = mkdtempSync(`${image.directory}.`);
	try {
		await fill(deps, work, signal);
		publish(join(work, 'image'), image.directory);
	} catch (cause) {
		throw new CodedError(
			'GUEST_BUILD',
			{
				what: 'the guest image for virtual machines could not be built',
				why: messageOf(cause),
				fix: `see that \`apt-get download ${[kernelPackage, clientPackage.name].join(' ')}\` works here (after \`apt-get update\`)`,
			},
			{ cause },
		);
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	return image;
}

/** Another process may have been faster with the same image. */
function publish(from: string, to: string): void {
	try {
		renameSync(from, to);
	} catch (error) {
		if (!existsSync(to)) throw error;
	}
}

async function fill(deps: ProcessDeps, work: string, signal?: AbortSignal): Promise<void> {
	const options = { ...(signal ? { signal } : {}), timeoutMs: 300_000 };
	const [packages, root, image] = ['packages', 'root', 'image'].map((name) => join(work, name)) as [string, string, string];
	for (const directory of [packages, root, image]) mkdirSync(directory);
	// The lists may be old or missing where no package had to be installed.
	await run(deps, readLists, options);
	const depends = await run(deps, ['apt-cache', 'depends', '--important', kernelPackage], options);
	const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
	if (!kernel) throw new CodedError('GUEST_BUILD', `${kernelPackage} names no kernel package`);
	// apt downloads into its working directory.
	await run(deps, ['env', '-C', packages, 'apt-get', '-q', 'download', kernel, clientPackage.name], options);
	await Promise.all(readdirSync(packages).map((name) => run(deps, ['dpkg-deb', '-x', join(packages, name), root], options)));
	const version = only(readdirSync(join(root, 'lib/modules')));
	const bzImage = readFileSync(join(root, 'boot', `vmlinuz-${version}`));
	writeFileSync(join(image, 'kernel'), extractElfKernel(bzImage) ?? bzImage);
	const echo = join(work, 'udp-echo');
	const compiled = [
		[echo, echoSource],
		[counterProgram({ directory: image }), counterSource],
	] as const;
	for (const [to, source] of compiled) await run(deps, ['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', to, source], options);
	const programs: Program[] = [
		{ path: 'sbin/dhcpcd', source: join(root, clientPackage.program) },
		{ path: 'sbin/udp-echo', source: echo },
		...libraries.map((path) => ({ path, source: `/${path}` })),
	];
	const busybox = (await run(deps, ['which', 'busybox'], options)).trim();
	const applets = (await run(deps, [busybox, '--list'], options)).trim().split('\n');
	const modules = join(root, 'lib/modules', version);
	writeFileSync(join(image, 'initrd'), buildInitramfs({ modules, busybox, applets, programs }));
}

function only(names: readonly string[]): string {
	const [name, ...more] = names;
	if (name === undefined || more.length > 0) throw new CodedError('GUEST_BUILD', `expected one kernel, found ${names.join(' ') || 'none'}`);
	return name;
}
