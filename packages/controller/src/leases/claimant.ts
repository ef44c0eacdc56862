import type { Node, Pod } from '@tapestry/kube';
import { labels, podInterface, type VirtualMachine, type VirtualMachineInstance } from '@tapestry/network';

const ownerKinds = ['Pod', 'VirtualMachine', 'VirtualMachineInstance', 'Node'] as const;
export type OwnerKind = (typeof ownerKinds)[number];

export function isOwnerKind(kind: string | undefined): kind is OwnerKind {
	return ownerKinds.some((one) => one === kind);
}

/** Something that is owed a lease. */
export interface Claimant {
	readonly kind: OwnerKind;
	/** Empty for nodes. */
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
	/** Where it runs; empty when that is not known. */
	readonly node: string;
	/** What the user asked for. */
	readonly annotations: Readonly<Record<string, string>>;
	/** MAC address that the VM's own spec gives to its NIC in the pod network. */
	readonly specMac: string | undefined;
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

/** A pod that runs a VM uses the VM's lease. */
export function isLauncher(pod: Pod): boolean {
	return pod.metadata.labels?.[labels.kubevirt] === 'virt-launcher';
}

export function isFinished(pod: Pod): boolean {
	return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Pods get a lease when they have a node, before the kubelet of that node asks for the port. */
export function podClaimant(pod: Pod): Claimant | undefined {
	const { name, namespace = '', uid = '', annotations: asked = {}, deletionTimestamp } = pod.metadata;
	const node = pod.spec?.nodeName ?? '';
	if (node === '' || pod.spec?.hostNetwork || isFinished(pod) || isLauncher(pod)) return undefined;
	const isLeaving = deletionTimestamp !== undefined;
	return { kind: 'Pod', namespace, name, uid, node, annotations: asked, specMac: undefined, ordinal: ordinalOf(pod), isLeaving };
}

/** A VM keeps its lease over restarts and migrations, as long as the VirtualMachine exists. */
export function vmClaimant(vm: VirtualMachine, launchers: readonly Pod[]): Claimant {
	const { name, namespace = '', uid = '', deletionTimestamp } = vm.metadata;
	const template = vm.spec.template;
	return {
		kind: 'VirtualMachine',
		namespace,
		name,
		uid,
		node: nodeOf(launchers),
		annotations: { ...vm.metadata.annotations, ...template.metadata?.annotations },
		specMac: podInterface(template.spec ?? {})?.macAddress,
		ordinal: undefined,
		isLeaving: deletionTimestamp !== undefined,
	};
}

/** An instance that no VirtualMachine stands behind. */
export function vmiClaimant(vmi: VirtualMachineInstance, launchers: readonly Pod[]): Claimant | undefined {
	const { name, namespace = '', uid = '', annotations: asked = {}, ownerReferences = [], deletionTimestamp } = vmi.metadata;
	if (ownerReferences.some((reference) => reference.kind === 'VirtualMachine')) return undefined;
	return {
		kind: 'VirtualMachineInstance',
		namespace,
		name,
		uid,
		node: nodeOf(launchers),
		annotations: asked,
		specMac: podInterface(vmi.spec)?.macAddress,
		ordinal: undefined,
		isLeaving: deletionTimestamp !== undefined,
	};
}

export function nodeClaimant(node: Node): Claimant {
	const { name, uid = '', deletionTimestamp } = node.metadata;
	const isLeaving = deletionTimestamp !== undefined;
	return { kind: 'Node', namespace: '', name, uid, node: name, annotations: {}, specMac: undefined, ordinal: undefined, isLeaving };
}

/** The node of the oldest launcher at work: during a migration the machine still runs where it came from. */
function nodeOf(launchers: readonly Pod[]): string {
	const placed = launchers.filter((pod) => !isFinished(pod) && pod.spec?.nodeName);
	const age = (pod: Pod) => `${pod.metadata.creationTimestamp ?? ''} ${pod.metadata.name}`;
	const [oldest] = placed.sort((a, b) => (age(a) < age(b) ? -1 : 1));
	return oldest?.spec?.nodeName ?? '';
}

function ordinalOf(pod: Pod): number | undefined {
	if (!pod.metadata.ownerReferences?.some((reference) => reference.kind === 'StatefulSet' && reference.controller)) return undefined;
	const digits = /-(\d+)$/.exec(pod.metadata.name)?.[1];
	return digits === undefined ? undefined : Number(digits);
}
