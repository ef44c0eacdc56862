import type { VirtualMachineInstance, VirtualMachineInstanceSpec } from '@tapestry/network';
import { parseQuantity } from './quantity.ts';

/** What a VirtualMachineInstance asks of the machine, within what the lab can give. */
export interface Machine {
	readonly name: string;
	readonly hostname: string;
	readonly cpus: number;
	readonly memoryMiB: number;
	/** How long the guest may take to shut down. */
	readonly graceSeconds: number;
}

/** The lab's guest runs from memory: kernel, initramfs and what it does need this much. */
const leastMemoryMiB = 128;
const defaultMemoryMiB = 256;
/** KubeVirt's default. */
const defaultGraceSeconds = 30;

/** @param limits what the host has. @throws VM_QUANTITY */
export function machineOf(vmi: VirtualMachineInstance, limits: { readonly cpus: number; readonly memoryMiB: number }): Machine {
	const { name } = vmi.metadata;
	const { domain, hostname, terminationGracePeriodSeconds } = vmi.spec ?? {};
	return {
		name,
		hostname: hostname ?? name,
		cpus: clamp(cpus(domain), 1, limits.cpus),
		memoryMiB: clamp(memoryMiB(domain), leastMemoryMiB, limits.memoryMiB),
		graceSeconds: terminationGracePeriodSeconds ?? defaultGraceSeconds,
	};
}

type Domain = VirtualMachineInstanceSpec['domain'] | undefined;

function cpus(domain: Domain): number {
	const { cores, sockets, threads } = domain?.cpu ?? {};
	if (cores ?? sockets ?? threads) return (cores ?? 1) * (sockets ?? 1) * (threads ?? 1);
	const requested = domain?.resources?.limits?.cpu ?? domain?.resources?.requests?.cpu;
	return requested === undefined ? 1 : Math.ceil(parseQuantity(requested));
}

function memoryMiB(domain: Domain): number {
	const quantity = domain?.memory?.guest ?? domain?.resources?.requests?.memory ?? domain?.resources?.limits?.memory;
	return quantity === undefined ? defaultMemoryMiB : Math.ceil(parseQuantity(quantity) / 2 ** 20);
}

function clamp(value: number, least: number, most: number): number {
	return Math.min(most, Math.max(least, value));
}
