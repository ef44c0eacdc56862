import { CodedError } from '@tapestry/base';
import type { VirtualMachineInstance, VirtualMachineInstanceSpec } from '@tapestry/network';
import { bindingSidecarsOf, type HookSidecar, hookSidecarsAnnotation, hookSidecarsOf } from './hooks/requested.ts';
import { type MachineNic, nicOf } from './nics.ts';
import { parseAmount } from './quantity.ts';
import { type MachineDisk, type MachineShare, volumesOf } from './volumes.ts';

/** What a VirtualMachineInstance asks of the machine, within what the lab can give. */
export interface Machine {
	readonly namespace: string;
	readonly name: string;
	readonly hostname: string;
	readonly cpus: number;
	readonly memoryMiB: number;
	/** How long the guest may take to shut down. */
	readonly graceSeconds: number;
	/** Undefined for a machine without a network. */
	readonly nic: MachineNic | undefined;
	/** In the order in which the guest sees them. */
	readonly disks: readonly MachineDisk[];
	readonly shares: readonly MachineShare[];
	/** `libvirt` or `qemu` when the user insists on it. */
	readonly hypervisor: HypervisorName | undefined;
	/** Programs that are asked about the cloud-init data and the domain. */
	readonly hooks: readonly HookSidecar[];
}

export type HypervisorName = 'libvirt' | 'qemu';

/** On the instance, by the user: runs its machine by libvirt or by QEMU alone. Without it libvirt runs those that have hook sidecars. */
export const hypervisorAnnotation = 'tapestry.io/hypervisor';

/** The lab's guest runs from memory: kernel, initramfs and what it does need this much. */
const leastMemoryMiB = 128;
const defaultMemoryMiB = 256;
/** KubeVirt's default. */
const defaultGraceSeconds = 30;
/** HOST_NAME_MAX, and RFC 1123 for one label. */
const longestHostname = 63;

/**
 * Also decides what is wrong with an instance before anything is started for it.
 * @param limits what the host has
 * @throws VM_QUANTITY, VM_HOSTNAME, VM_HYPERVISOR, VM_HOOK, VM_NIC, VM_VOLUME with what to change in the instance
 */
export function machineOf(vmi: VirtualMachineInstance, limits: { readonly cpus: number; readonly memoryMiB: number }): Machine {
	const { name, namespace = 'default', annotations = {} } = vmi.metadata;
	const { spec } = vmi;
	const hostname = hostnameOf(name, spec);
	return {
		namespace,
		name,
		hostname,
		cpus: Math.min(limits.cpus, cpus(spec.domain)),
		memoryMiB: Math.min(limits.memoryMiB, Math.max(leastMemoryMiB, memoryMiB(spec.domain))),
		graceSeconds: spec.terminationGracePeriodSeconds ?? defaultGraceSeconds,
		nic: nicOf(spec, annotations),
		...volumesOf(spec, { instanceId: `${name}.${namespace}`, hostname }),
		hypervisor: hypervisorOf(annotations[hypervisorAnnotation]),
		// KubeVirt's order.
		hooks: [...hookSidecarsOf(annotations[hookSidecarsAnnotation]), ...bindingSidecarsOf(spec.domain.devices?.interfaces ?? [])],
	};
}

/** KubeVirt's way: the first label of the machine's name, when nothing else is asked for (pkg/util/net/dns, SanitizeHostname). */
function hostnameOf(name: string, { hostname }: VirtualMachineInstanceSpec): string {
	if (hostname === undefined) return (name.split('.')[0] ?? '').slice(0, longestHostname).replace(/-+$/, '');
	if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(hostname) && hostname.length <= longestHostname) return hostname;
	throw new CodedError('VM_HOSTNAME', {
		what: `spec.hostname "${hostname}" cannot be used`,
		why: 'it is not a DNS label',
		fix: `use at most ${longestHostname} lower-case letters, digits and dashes, a letter or digit first and last`,
	});
}

function hypervisorOf(text: string | undefined): HypervisorName | undefined {
	if (text === undefined || text === 'libvirt' || text === 'qemu') return text;
	throw new CodedError('VM_HYPERVISOR', {
		what: `annotation ${hypervisorAnnotation} cannot be used`,
		why: `there is no hypervisor "${text}"`,
		fix: 'write libvirt or qemu, or remove it',
	});
}

type Domain = VirtualMachineInstanceSpec['domain'];

function cpus({ cpu, resources }: Domain): number {
	const { cores, sockets, threads } = cpu ?? {};
	if (cores ?? sockets ?? threads) return (cores ?? 1) * (sockets ?? 1) * (threads ?? 1);
	const requested = resources?.limits?.cpu ?? resources?.requests?.cpu;
	return requested === undefined ? 1 : parseAmount(requested, 'the number of processors');
}

function memoryMiB({ memory, resources }: Domain): number {
	const quantity = memory?.guest ?? resources?.requests?.memory ?? resources?.limits?.memory;
	return quantity === undefined ? defaultMemoryMiB : Math.ceil(parseAmount(quantity, 'the memory of the machine') / 2 ** 20);
}
