import type { VirtualMachineInstance } from '@tapestry/network';

/** KubeVirt's limit (virt-config, MultiQueueMaxQueues). */
const maxQueues = 256;

/** How many queues the VMM opens on the tap: one for each virtual CPU when the instance asks for it, as KubeVirt counts them. */
export function queuesOf(instance: VirtualMachineInstance): number {
	const { devices, cpu } = instance.spec.domain;
	if (!devices?.networkInterfaceMultiqueue) return 1;
	return Math.min((cpu?.cores ?? 1) * (cpu?.sockets ?? 1) * (cpu?.threads ?? 1), maxQueues);
}
