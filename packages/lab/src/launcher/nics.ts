import { CodedError, type ErrorText, isUnicastMac, parseMac } from '@tapestry/base';
import {
	annotations,
	chooseAttachmentMode,
	type ForwardedPort,
	forwardedPorts,
	type MachineInterface,
	macvtapParent,
	type VirtualMachineInstanceSpec,
} from '@tapestry/network';

/** The guest's NIC: it is connected to the pod's network. */
export interface MachineNic {
	/** Name of the network in the instance. */
	readonly network: string;
	/** How many queues the VMM opens on the tap. */
	readonly queues: number;
	/** The interface's `ports`. */
	readonly forward?: readonly ForwardedPort[];
}

type Network = NonNullable<VirtualMachineInstanceSpec['networks']>[number];

/** KubeVirt's name for the pod network of a machine that names none. */
const defaultNetwork = 'default';
/** KubeVirt's limit (virt-config, MultiQueueMaxQueues). */
const maxQueues = 256;

/** Undefined when the machine wants no network. @param asked the annotations of the instance @throws VM_NIC */
export function nicOf(spec: VirtualMachineInstanceSpec, asked: Readonly<Record<string, string>>): MachineNic | undefined {
	const { devices, cpu } = spec.domain;
	const { interfaces = [], networkInterfaceMultiqueue = false } = devices ?? {};
	const { networks = [] } = spec;
	checkNames(interfaces, networks);
	for (const one of interfaces) checkInterface(one);
	for (const nic of interfaces.length > 0 ? interfaces : [undefined]) checkMode(nic, asked);
	for (const one of networks) checkNetwork(one);
	// The agent counts alike: it lifts the tap when this many queues are open.
	const processors = (cpu?.cores ?? 1) * (cpu?.sockets ?? 1) * (cpu?.threads ?? 1);
	const queues = networkInterfaceMultiqueue ? Math.min(processors, maxQueues) : 1;
	const [first, second] = networks;
	if (second !== undefined) {
		refuse({ what: `network "${second.name}" cannot be attached`, why: 'a machine has one pod network', fix: 'remove one of them' });
	}
	if (first !== undefined) {
		const forward = forwardedPorts(interfaces.find(({ name }) => name === first.name));
		return { network: first.name, queues, ...(forward.length > 0 ? { forward } : {}) };
	}
	const { autoattachPodInterface = true } = (devices ?? {}) as { readonly autoattachPodInterface?: boolean };
	return autoattachPodInterface ? { network: defaultNetwork, queues } : undefined;
}

function checkNames(interfaces: readonly MachineInterface[], networks: readonly Network[]): void {
	for (const [kind, members] of [
		['interface', interfaces],
		['network', networks],
	] as const) {
		const names = members.map(({ name }) => name);
		const twice = names.find((name, index) => names.indexOf(name) !== index);
		if (twice !== undefined) refuse({ what: `two ${kind}s are called "${twice}"`, fix: `give each ${kind} a name of its own` });
	}
	const alone = (own: string, other: string, names: readonly { name: string }[], others: readonly { name: string }[]): void => {
		const one = names.find(({ name }) => !others.some((candidate) => candidate.name === name));
		if (one === undefined) return;
		refuse({
			what: `${own} "${one.name}" is not usable`,
			why: `there is no ${other} of this name`,
			fix: `add the ${other} or remove the ${own}`,
		});
	};
	alone('interface', 'network', interfaces, networks);
	alone('network', 'interface', networks, interfaces);
}

function checkInterface(one: MachineInterface): void {
	const { name, macAddress, model = 'virtio' } = one;
	const what = `interface "${name}" is not usable`;
	if (!/^[A-Za-z0-9_-]+$/.test(name)) refuse({ what, why: 'its name is malformed', fix: 'use letters, digits, dashes and underscores' });
	const mac = macAddress === undefined ? undefined : parseMac(macAddress);
	const macFix = 'write a unicast address such as 02:00:00:00:00:01, or leave it out to get one';
	if (macAddress !== undefined && mac === undefined) refuse({ what, why: `"${macAddress}" is not a MAC address`, fix: macFix });
	if (mac !== undefined && !isUnicastMac(mac)) {
		refuse({ what, why: `MAC address ${mac} is ${/^[0:]+$/.test(mac) ? 'all zero' : 'a multicast address'}`, fix: macFix });
	}
	if (model !== 'virtio') refuse({ what, why: `model "${model}" is not offered`, fix: 'use model: virtio' });
}

/** What the subnet says is the agent's to judge: it knows the subnet, which may be what makes the machine's a macvtap. */
function checkMode(nic: MachineInterface | undefined, asked: Readonly<Record<string, string>>): void {
	const { value: mode, problem } = chooseAttachmentMode({ nic, annotation: asked[annotations.attachmentMode] });
	if (problem) refuse(problem);
	const isOpen = mode === 'lift' && asked[annotations.attachmentMode] === undefined;
	const parent = macvtapParent(mode === undefined || isOpen ? 'macvtap' : mode, { annotation: asked[annotations.macvtapParent] });
	if (parent.problem) refuse(parent.problem);
}

function checkNetwork({ name, pod, multus }: Network): void {
	const what = `network "${name}" cannot be attached`;
	if (multus !== undefined) {
		refuse({ what, why: 'secondary networks of machines are not built yet', fix: 'remove the network and its interface' });
	}
	if (pod === undefined) refuse({ what, why: 'it has no source', fix: 'write pod: {}' });
}

function refuse(text: ErrorText): never {
	throw new CodedError('VM_NIC', text);
}
