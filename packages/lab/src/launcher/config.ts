import type { ForwardedPort } from '@tapestry/network';
import type { Accelerator } from '../guest/accelerator.ts';
import type { GuestImage } from '../guest/image.ts';
import type { GuestAddresses } from './addresses/guest-addresses.ts';
import type { Disk } from './disks/prepare.ts';
import type { VmFiles } from './files.ts';
import type { Machine } from './machine.ts';
import type { MachineShare } from './volumes.ts';

export type NicBackend =
	/** A character device that this process has open, for a macvtap. */
	| { readonly kind: 'descriptor'; readonly fd: number }
	/** Somebody who listens for frames on a socket: passt. */
	| { readonly kind: 'stream'; readonly socket: string }
	/** A socket at which the VMM listens for the switch, which shares the guest's memory. */
	| { readonly kind: 'vhost-user'; readonly socket: string }
	/** The VMM's own stack. `listen` is the pod's IPv4 address. */
	| { readonly kind: 'user'; readonly listen: string; readonly forward: readonly ForwardedPort[] };

export interface Nic {
	/** Name of the network in the instance. */
	readonly network: string;
	/** Name of an existing tap in the namespace where the VMM starts. */
	readonly tap: string;
	readonly mac: string;
	readonly mtu: number;
	readonly queues: number;
	/** How the VMM gets at the network. @default the tap, by its name */
	readonly backend?: NicBackend;
	/** Whether the kernel serves the tap's queues: /dev/vhost-net is there and the guest is not emulated. */
	readonly vhost?: boolean;
	/** What the launcher itself gives the guest; absent where the network does. */
	readonly addresses?: GuestAddresses;
}

/** All that a VMM has to know of a machine. */
export interface MachineConfig {
	/** KubeVirt's name of the domain. */
	readonly name: string;
	readonly cpus: number;
	readonly memoryMiB: number;
	readonly accelerator: Accelerator;
	readonly image: GuestImage;
	/** What the image's kernel is started with; undefined when the machine starts from a disk instead. */
	readonly kernelArguments: string | undefined;
	readonly files: VmFiles;
	readonly nic: Nic | undefined;
	readonly disks: readonly Disk[];
	readonly shares: readonly MachineShare[];
	/** Marks the VMM's process as the pod's and the lab's. */
	readonly environment: Readonly<Record<string, string>>;
}

/** What every guest of the lab boots with: nothing that waits, calibrates or guards against its own host. */
const kernelArguments = [
	'console=ttyS0',
	'quiet',
	'panic=-1',
	'tsc=reliable',
	'no_timer_check',
	'nokaslr',
	'mitigations=off',
	'random.trust_cpu=on',
	'rcupdate.rcu_expedited=1',
];

/**
 * What the lab's guest is started with; undefined when the machine starts from a disk.
 * @param counterKhz how fast the guest's time stamp counter counts; it measures that itself when it is not told
 */
export function guestArguments({ disks, hostname, nic }: Machine, counterKhz?: number): string | undefined {
	if (disks.some(({ boots }) => boots)) return undefined;
	const clock = counterKhz === undefined ? [] : [`tsc_early_khz=${counterKhz}`];
	return [...kernelArguments, ...clock, `tapestry.hostname=${hostname}`, ...(nic ? [] : ['tapestry.network=none'])].join(' ');
}
