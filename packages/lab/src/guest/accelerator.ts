import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessDeps, run } from '../process.ts';
import type { GuestImage } from './image.ts';

export type Accelerator = 'kvm' | 'tcg';

/** A guest under a KVM that works is up in a second; under one that does not, for example inside some clouds' machines, it hangs. */
const probeTimeoutMs = 10_000;

interface Finding {
	readonly accelerator: Accelerator;
	/** The boot of this machine in which it was found. */
	readonly bootId: string;
}

/** What `findAccelerator` has found; emulation where it has not run. */
export function readAccelerator(image: GuestImage): Accelerator {
	return readFinding(image)?.accelerator ?? 'tcg';
}

export interface ProbeOptions {
	readonly signal?: AbortSignal;
	/** @default /dev/kvm */
	readonly device?: string;
}

/**
 * Tells by booting a guest whether KVM is usable, and leaves the answer with the image until this machine boots again. That the device opens
 * proves nothing.
 */
export async function findAccelerator(deps: ProcessDeps, image: GuestImage, options: ProbeOptions = {}): Promise<Accelerator> {
	const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	const known = readFinding(image);
	if (known?.bootId === bootId) return known.accelerator;
	const accelerator = (await bootsWithKvm(deps, image, options)) ? 'kvm' : 'tcg';
	options.signal?.throwIfAborted();
	writeFileSync(findingFile(image), JSON.stringify({ accelerator, bootId } satisfies Finding));
	return accelerator;
}

async function bootsWithKvm(deps: ProcessDeps, image: GuestImage, { signal, device = '/dev/kvm' }: ProbeOptions): Promise<boolean> {
	try {
		accessSync(device, constants.R_OK | constants.W_OK);
		const argv = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35', '-accel', 'kvm'];
		argv.push('-cpu', 'host', '-m', '128M', '-nic', 'none', '-serial', 'stdio', '-kernel', image.kernel, '-initrd', image.initrd);
		argv.push('-append', 'console=ttyS0 quiet panic=-1 tapestry.network=none tapestry.then=poweroff');
		const output = await run(deps, argv, { timeoutMs: probeTimeoutMs, ...(signal ? { signal } : {}) });
		return output.includes('GUEST READY');
	} catch {
		return false;
	}
}

function readFinding(image: GuestImage): Finding | undefined {
	try {
		return JSON.parse(readFileSync(findingFile(image), 'utf8')) as Finding;
	} catch {
		return undefined;
	}
}

function findingFile(image: GuestImage): string {
	return join(image.directory, 'accelerator.json');
}
