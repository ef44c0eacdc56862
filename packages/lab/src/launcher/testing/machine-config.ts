import { guestImage } from '../../guest/image.ts';
import type { MachineConfig } from '../config.ts';
import type { Disk } from '../disks/prepare.ts';
import { vmFiles } from '../files.ts';

/** A machine with one NIC and nothing else. */
export const machineConfig: MachineConfig = {
	name: 'default_vm1',
	cpus: 2,
	memoryMiB: 256,
	accelerator: 'tcg',
	image: guestImage('/guest'),
	kernelArguments: 'console=ttyS0 tapestry.hostname=vm1',
	files: vmFiles('/state'),
	nic: { network: 'default', tap: 'tap0', mac: '00:00:00:aa:bb:cc', mtu: 1442, queues: 1 },
	disks: [],
	shares: [],
	environment: {},
};

export function diskOf(name: string, more: Partial<Disk> = {}): Disk {
	return { name, path: `/disks/${name}`, format: 'raw', device: 'disk', bus: 'virtio', readOnly: false, boots: false, ...more };
}
