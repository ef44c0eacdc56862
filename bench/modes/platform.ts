import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findAccelerator } from '../../packages/lab/src/guest/accelerator.ts';
import { testImage } from '../../packages/lab/src/guest/testing/test-image.ts';

/** What the modes run on: without it their figures mean nothing elsewhere. */
export interface Platform {
	/** Found by booting a guest, as the lab does. */
	readonly accelerator: 'kvm' | 'tcg';
	readonly vhostNet: boolean;
	/** The lab's; a cluster uses the kernel's or DPDK. */
	readonly datapath: 'netdev';
	readonly openVswitch: string;
	readonly ovn: string;
	readonly qemu: string;
}

export async function findPlatform(): Promise<Platform> {
	return {
		accelerator: await findAccelerator({ env: process.env }, await testImage()),
		vhostNet: existsSync('/dev/vhost-net'),
		datapath: 'netdev',
		openVswitch: versionOf('ovs-appctl'),
		ovn: versionOf('ovn-appctl'),
		qemu: versionOf('qemu-system-x86_64'),
	};
}

function versionOf(program: string): string {
	return /\d+\.\d+(\.\d+)?/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown';
}
