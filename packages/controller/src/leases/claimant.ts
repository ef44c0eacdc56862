import { hasEnded, type Node, type Pod } from '@tapestry/kube';
import {
	annotations,
	isLauncher,
	type MachineInterface,
	type NamedPortFacts,
	podInterface,
	trafficKeys,
	type Vip,
	type VirtualMachine,
	type VirtualMachineInstance,
	vipProblems,
} from '@tapestry/network';

const ownerKinds = ['Pod', 'VirtualMachine', 'VirtualMachineInstance', 'Node', 'Vip'] as const;
export type OwnerKind = (typeof ownerKinds)[number];

export function isOwnerKind(kind: string | undefined): kind is OwnerKind {
	return ownerKinds.some((one) => one === kind);
}

/** Something that is owed a lease. */
export interface Claimant {
	readonly kind: OwnerKind;
	/** Empty for nodes and Vips. */
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
	/** Where it runs; empty when that is not known. */
	readonly node: string;
	/** What policies and Services select it by. */
	readonly labels: Readonly<Record<string, string>>;
	/** What the user asked for. */
	readonly annotations: Readonly<Record<string, string>>;
	/** MAC address that the VM's own spec gives to its NIC in the pod network. */
	readonly specMac: string | undefined;
	/** Named ports of its containers. */
	readonly ports: readonly NamedPortFacts[];
	/** Position among the pods of a StatefulSet. */
	readonly ordinal: number | undefined;
	/** True for one on its way out: it keeps a lease but gets none. */
	readonly isLeaving: boolean;
}

/** `Kind/namespace/name`: the value of the lease's annotation `tapestry.io/owner`. */
export function claimantKey(claimant: Pick<Claimant, 'kind' | 'namespace' | 'name'>): string {
	return `${claimant.kind}/${claimant.namespace}/${claimant.name}`;
}

/** Whether it is a machine, whose lease outlives the pods that it runs in. */
export function isMachine({ kind }: Pick<Claimant, 'kind'>): boolean {
	return kind === 'VirtualMachine' || kind === 'VirtualMachineInstance';
}

/** Pods get a lease when they have a node, before the kubelet of that node asks for the port. */
export function podClaimant(pod: Pod): Claimant | undefined {
	const { name, namespace = '', uid = '', labels: own = {}, annotations: asked = {}, deletionTimestamp } = pod.metadata;
	const node = pod.spec?.nodeName ?? '';
	if (node === '' || pod.spec?.hostNetwork || hasEnded(pod) || isLauncher(pod)) return undefined;
	const isLeaving = deletionTimestamp !== undefined;
	return {
		kind: 'Pod',
		namespace,
		name,
		uid,
		node,
		labels: own,
		annotations: asked,
		specMac: undefined,
		ports: portsOf(pod),
		ordinal: ordinalOf(pod),
		isLeaving,
	};
}

/** A VM keeps its lease over restarts and migrations, as long as the VirtualMachine exists. */
export function vmClaimant(vm: VirtualMachine, vmi: VirtualMachineInstance | undefined, launchers: readonly Pod[]): Claimant {
	const { name, namespace = '', uid = '', deletionTimestamp } = vm.metadata;
	const template = vm.spec.template;
	const launcher = launcherAtWork(launchers);
	// Between two instances the template says what the next one will be selected by.
	const own = vmi && isOfVm(vmi) ? vmi.metadata.labels : template.metadata?.labels;
	return {
		kind: 'VirtualMachine',
		namespace,
		name,
		uid,
		node: launcher?.spec?.nodeName ?? '',
		labels: { ...own, ...launcher?.metadata.labels },
		annotations: { ...ownWishes(launcher, vmi), ...vm.metadata.annotations, ...template.metadata?.annotations },
		specMac: podInterface(template.spec ?? {})?.macAddress,
		ports: machinePorts(podInterface(template.spec ?? {})),
		ordinal: undefined,
		isLeaving: deletionTimestamp !== undefined,
	};
}

/** An instance that no VirtualMachine stands behind. */
export function vmiClaimant(vmi: VirtualMachineInstance, launchers: readonly Pod[]): Claimant | undefined {
	if (isOfVm(vmi)) return undefined;
	const { name, namespace = '', uid = '', labels: own, annotations: asked = {}, deletionTimestamp } = vmi.metadata;
	const launcher = launcherAtWork(launchers);
	return {
		kind: 'VirtualMachineInstance',
		namespace,
		name,
		uid,
		node: launcher?.spec?.nodeName ?? '',
		labels: { ...own, ...launcher?.metadata.labels },
		annotations: { ...ownWishes(launcher, vmi), ...asked },
		specMac: podInterface(vmi.spec)?.macAddress,
		ports: machinePorts(podInterface(vmi.spec)),
		ordinal: undefined,
		isLeaving: deletionTimestamp !== undefined,
	};
}

/** An address without a port: the lease keeps it. */
export function vipClaimant(vip: Vip): Claimant | undefined {
	const { name, uid = '', deletionTimestamp } = vip.metadata;
	const { subnet = '', v4ip = '', v6ip = '', macAddress = '' } = vip.spec;
	if (vipProblems(vip).length > 0) return undefined;
	const ips = [v4ip, v6ip].filter((ip) => ip !== '').join(',');
	const asked = { [annotations.logicalSwitch]: subnet, [annotations.ipAddress]: ips, [annotations.macAddress]: macAddress };
	const nobody = { namespace: '', node: '', labels: {}, specMac: undefined, ports: [], ordinal: undefined };
	return { kind: 'Vip', name, uid, annotations: asked, ...nobody, isLeaving: deletionTimestamp !== undefined };
}

export function nodeClaimant(node: Node): Claimant {
	const { name, uid = '', labels: own = {}, deletionTimestamp } = node.metadata;
	return {
		kind: 'Node',
		namespace: '',
		name,
		uid,
		node: name,
		labels: own,
		annotations: {},
		specMac: undefined,
		ports: [],
		ordinal: undefined,
		isLeaving: deletionTimestamp !== undefined,
	};
}

/** Whether a VirtualMachine stands behind it. */
export function isOfVm({ metadata }: VirtualMachineInstance): boolean {
	return metadata.ownerReferences?.some((reference) => reference.kind === 'VirtualMachine') ?? false;
}

/** The oldest launcher at work: during a migration the machine still runs where it came from. */
function launcherAtWork(launchers: readonly Pod[]): Pod | undefined {
	const placed = launchers.filter((pod) => !hasEnded(pod) && pod.spec?.nodeName);
	const age = (pod: Pod) => `${pod.metadata.creationTimestamp ?? ''} ${pod.metadata.name}`;
	return placed.sort((a, b) => (age(a) < age(b) ? -1 : 1))[0];
}

/**
 * What was asked of a launcher itself for its machine's traffic, as users of Kube-OVN do with a machine that runs. The rest the launcher has from its
 * instance, which has it from the template of the time: that is asked there, and taken back there.
 */
function ownWishes(launcher: Pod | undefined, vmi: VirtualMachineInstance | undefined): Readonly<Record<string, string>> {
	const inherited = vmi?.metadata.annotations ?? {};
	const all = Object.entries(vmi ? (launcher?.metadata.annotations ?? {}) : {});
	return Object.fromEntries(all.filter(([key]) => trafficKeys.includes(key) && inherited[key] === undefined));
}

/** Numbers by name, for NetworkPolicies. */
function portsOf(pod: Pod): readonly NamedPortFacts[] {
	const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
	return ports.flatMap(({ name, protocol, containerPort }) => (name ? [{ name, protocol: lowerCase(protocol), port: containerPort }] : []));
}

/** KubeVirt: spec.domain.devices.interfaces[].ports. */
function machinePorts(nic: MachineInterface | undefined): readonly NamedPortFacts[] {
	return (nic?.ports ?? []).flatMap(({ name, protocol, port }) => (name && port ? [{ name, protocol: lowerCase(protocol), port }] : []));
}

function lowerCase(protocol = 'TCP'): NamedPortFacts['protocol'] {
	return protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp';
}

function ordinalOf(pod: Pod): number | undefined {
	if (!pod.metadata.ownerReferences?.some((reference) => reference.kind === 'StatefulSet' && reference.controller)) return undefined;
	const digits = /-(\d+)$/.exec(pod.metadata.name)?.[1];
	return digits === undefined ? undefined : Number(digits);
}
