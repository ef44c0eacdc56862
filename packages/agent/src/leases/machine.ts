import { CodedError } from '@tapestry/base';
import { hostTapName } from '@tapestry/host';
import {
	type AttachmentModeName,
	annotations,
	chooseAttachmentMode,
	type ForwardedPort,
	forwardedPorts,
	macvtapParent,
	type Parsed,
	podInterface,
	type Subnet,
	type VirtualMachineInstance,
} from '@tapestry/network';

/** KubeVirt's limit (virt-config, MultiQueueMaxQueues). */
const maxQueues = 256;
/** KubeVirt's name for the pod network of a machine that names none. */
const defaultNetwork = 'default';

/** How many queues the VMM opens on the tap: one for each virtual CPU when the instance asks for it, as KubeVirt counts them. */
export function queuesOf(instance: VirtualMachineInstance): number {
	const { devices, cpu } = instance.spec.domain;
	if (!devices?.networkInterfaceMultiqueue) return 1;
	return Math.min((cpu?.cores ?? 1) * (cpu?.sockets ?? 1) * (cpu?.threads ?? 1), maxQueues);
}

/** How an instance's NIC is to be connected, by what its launcher was made as. Throws AGENT_MODE. */
export function wayOf(
	instance: VirtualMachineInstance,
	subnet: Subnet,
	isOnNode: boolean,
): { readonly mode: AttachmentModeName; readonly forward?: readonly ForwardedPort[]; readonly hostTap?: string; readonly parent?: string } {
	const nic = podInterface(instance.spec);
	const wishes = (name: string) => ({
		annotation: instance.metadata.annotations?.[name],
		subnet: { name: subnet.metadata.name, annotation: subnet.metadata.annotations?.[name] },
	});
	const mode = read(chooseAttachmentMode({ nic, ...wishes(annotations.attachmentMode), isOnNode }));
	const parent = read(macvtapParent(mode, wishes(annotations.macvtapParent)));
	const forward = forwardedPorts(nic);
	return {
		mode,
		...(forward.length > 0 ? { forward } : {}),
		...(parent === undefined ? {} : { parent }),
		...(mode === 'tap' ? { hostTap: hostTapName(instance.metadata.uid ?? '', nic?.name ?? defaultNetwork) } : {}),
	};
}

function read<T>({ value, problem }: Parsed<T>): T {
	if (!problem) return value as T;
	throw new CodedError('AGENT_MODE', {
		what: "the machine's NIC cannot be connected",
		why: `${problem.what}: ${problem.why}`,
		fix: problem.fix,
	});
}
