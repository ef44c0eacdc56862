import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '@tapestry/base';
import { type ProcessDeps, run } from '../process.ts';
import { type DebianPackage, debianPackages, kubectlPackage } from './packages.ts';

export interface InstallOptions {
	readonly signal?: AbortSignal;
	/** What Debian's packages ask before they start a daemon. @default /usr/sbin/policy-rc.d */
	readonly policyFile?: string;
}

/** The packages of which something is not on this machine. */
export function missingPackages(deps: ProcessDeps): readonly DebianPackage[] {
	return [...debianPackages, kubectlPackage].filter(({ provides }) => !provides.every((file) => present(deps, file)));
}

/** @throws SETUP_ROOT, SETUP_PLATFORM: what this machine lacks that no installation can mend */
export function checkMachine(deps: ProcessDeps): void {
	if (process.platform !== 'linux') {
		throw new CodedError('SETUP_PLATFORM', {
			what: `the lab does not run on ${process.platform}`,
			why: 'it is made of Linux network namespaces and Open vSwitch',
			fix: 'run it on Debian 12, for example in a virtual machine',
		});
	}
	if (process.getuid?.() !== 0) {
		throw new CodedError('SETUP_ROOT', {
			what: 'the lab needs root',
			why: 'it makes network namespaces, taps and bridges',
			fix: 'run the same command as root',
		});
	}
	const missing = missingPackages(deps);
	if (missing.length > 0 && !present(deps, 'apt-get')) {
		throw new CodedError('SETUP_PLATFORM', {
			what: `this is ${osName()}, and the lab installs Debian packages`,
			why: `apt-get is not here, nor is all of ${missing.map(({ name }) => name).join(', ')}`,
			fix: 'run it on Debian 12, or install these programs yourself',
		});
	}
}

// 101 = "action forbidden by policy": the packages' own daemons must not start beside the lab's.
const policy = '#!/bin/sh\n# Of the lab of Tapestry, for the time of an installation.\nexit 101\n';

/** Reads the package lists anew. Of two that do so on one machine at the same time apt lets the second fail; this one waits for those that are started like it. */
export const readLists: readonly string[] = ['flock', '--no-fork', '/var/lib/apt', 'apt-get', '-q', 'update'];

/** Installs Debian packages without starting their daemons. @throws SETUP_PACKAGES with apt's own words */
export async function installPackages(deps: ProcessDeps, packages: readonly DebianPackage[], options: InstallOptions = {}): Promise<void> {
	if (packages.length === 0) return;
	const { signal, policyFile = '/usr/sbin/policy-rc.d' } = options;
	const apt = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 900_000 };
	const names = packages.map(({ name }) => name);
	// The machine's own policy stays; one of ours is there when an earlier run was killed.
	const ours = !existsSync(policyFile) || readFileSync(policyFile, 'utf8') === policy;
	if (ours) writeFileSync(policyFile, policy, { mode: 0o755 });
	try {
		await run(deps, readLists, signal ? { ...apt, signal } : apt);
		// In a session of its own, and not under the signal: after a Ctrl-C in the middle of dpkg's work no apt would run any more.
		const install = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends'];
		await run(deps, ['setsid', '--wait', ...install, ...names], apt);
	} catch (cause) {
		signal?.throwIfAborted();
		throw new CodedError(
			'SETUP_PACKAGES',
			{
				what: `these Debian packages could not be installed: ${names.join(' ')}`,
				why: messageOf(cause),
				fix: `see that \`apt-get install ${names.join(' ')}\` works here, then run the same command again`,
			},
			{ cause },
		);
	} finally {
		if (ours) rmSync(policyFile, { force: true });
	}
	signal?.throwIfAborted();
	const still = packages.flatMap(({ provides }) => provides).filter((file) => !present(deps, file));
	if (still.length > 0) {
		throw new CodedError('SETUP_PACKAGES', {
			what: `after installation these are still missing: ${still.join(', ')}`,
			fix: 'the lab is made for Debian 12; on another release install these programs yourself',
		});
	}
}

/** @param file a program's name, or the path of a file */
function present(deps: ProcessDeps, file: string): boolean {
	if (file.startsWith('/')) return existsSync(file);
	// Debian keeps `ip` and the daemons in sbin, which the PATH of a plain login may lack.
	const path = (deps.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin');
	return path.some((dir) => executable(join(dir, file)));
}

function executable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function osName(): string {
	try {
		return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'another system';
	} catch {
		return 'another system';
	}
}
