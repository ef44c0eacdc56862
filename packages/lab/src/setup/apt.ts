import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '@tapestry/base';
import { type ProcessDeps, run } from '../process.ts';
import { type DebianPackage, debianPackages, kubectlPackage } from './packages.ts';

/** The packages of which something is not on this machine. */
export function missingPackages(deps: ProcessDeps): readonly DebianPackage[] {
	const path = (deps.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin');
	const present = (file: string): boolean => (file.startsWith('/') ? existsSync(file) : path.some((dir) => executable(join(dir, file))));
	return [...debianPackages, kubectlPackage].filter(({ provides }) => !provides.every(present));
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
	if (!existsSync('/usr/bin/apt-get') && missingPackages(deps).length > 0) {
		throw new CodedError('SETUP_PLATFORM', {
			what: `this is ${osName()}, and the lab installs Debian packages`,
			why: `not here: ${missingPackages(deps)
				.flatMap(({ provides }) => provides)
				.join(', ')}`,
			fix: 'run it on Debian 12, or install these programs yourself',
		});
	}
}

/** Installs Debian packages without starting their daemons. @throws SETUP_PACKAGES with apt's own words */
export async function installPackages(deps: ProcessDeps, packages: readonly DebianPackage[], signal?: AbortSignal): Promise<void> {
	if (packages.length === 0) return;
	const apt = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 900_000, ...(signal ? { signal } : {}) };
	const names = packages.map(({ name }) => name);
	const policy = '/usr/sbin/policy-rc.d';
	const hadPolicy = existsSync(policy);
	// 101 = "action forbidden by policy": the packages' own daemons must not start beside the lab's.
	if (!hadPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
	try {
		await run(deps, ['apt-get', '-q', 'update'], apt);
		await run(deps, ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...names], apt);
	} catch (cause) {
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
		if (!hadPolicy) rmSync(policy, { force: true });
	}
	const still = missingPackages(deps).filter(({ name }) => names.includes(name));
	if (still.length > 0) {
		throw new CodedError('SETUP_PACKAGES', {
			what: `after installation these are still missing: ${still.flatMap(({ provides }) => provides).join(', ')}`,
			fix: 'the lab is made for Debian 12; on another release install these programs yourself',
		});
	}
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
