import { hostTapName, launcherModeVariable } from '@tapestry/host';
import type { Container, Pod } from '@tapestry/kube';
import {
	annotations,
	chooseAttachmentMode,
	labels,
	type MachineInterface,
	type ModeWishes,
	type Problem,
	type VirtualMachineInstance,
} from '@tapestry/network';
import { type AdmissionRequest, type AdmissionResponse, allowed, refused } from './review.ts';

export const networkStatus = 'k8s.v1.cni.cncf.io/network-status';

interface Operation {
	readonly op: 'add' | 'remove' | 'replace';
	readonly path: string;
	readonly value?: unknown;
}

/** Fields that Tapestry reads nowhere else. */
type LauncherContainer = Container & Readonly<Record<(typeof probes)[number], Record<string, unknown> | undefined>>;
type LauncherSpec = NonNullable<Pod['spec']> & { readonly dnsPolicy?: string; readonly initContainers?: readonly Container[] };

const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** The instance that a launcher is for; undefined for any other pod. */
export function instanceOf(pod: Pod): { readonly namespace: string; readonly name: string; readonly uid: string } | undefined {
	if (pod.metadata.labels?.[labels.kubevirt] !== 'virt-launcher') return undefined;
	const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'VirtualMachineInstance');
	return owner && { namespace: pod.metadata.namespace ?? 'default', name: owner.name, uid: owner.uid };
}

/** What decides of NICs that leave their mode open. */
export type LauncherSurroundings = Pick<ModeWishes, 'subnet' | 'isOnNode'>;

/**
 * Puts the launcher of a machine whose NIC is to be connected by mode `tap` into the node's own network, where its tap is. Launchers of other machines,
 * and one that was changed already, are left alone.
 */
export function reviewLauncher(
	request: AdmissionRequest,
	vmi: VirtualMachineInstance,
	around: LauncherSurroundings = {},
): AdmissionResponse {
	const pod = request.object as Pod | null | undefined;
	if (!pod || request.operation !== 'CREATE') return allowed;
	const { networks = [] } = vmi.spec;
	const interfaces = interfacesOf(vmi);
	const onTap = interfaces.filter((nic) => wantsTap(vmi, nic, around));
	if (onTap.length === 0) return allowed;
	const problems = [...foreignNics(interfaces, onTap), ...networkProbes(pod)];
	if (problems.length > 0) return refused(problems);
	const primary = onTap.find(({ name }) => networks.find((network) => network.name === name)?.pod !== undefined) ?? onTap[0];
	const operations = [...podOperations(pod), ...(primary ? statusOperations(pod, vmi, primary) : [])];
	if (operations.length === 0) return allowed;
	return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') };
}

/** Whether a NIC of the machine has the mode that its subnet says. */
export function leavesModeOpen(vmi: VirtualMachineInstance): boolean {
	return interfacesOf(vmi).some((nic) => wantsTap(vmi, nic, { isOnNode: true }) && !wantsTap(vmi, nic, {}));
}

function wantsTap({ metadata }: VirtualMachineInstance, nic: MachineInterface, around: LauncherSurroundings): boolean {
	return chooseAttachmentMode({ nic, annotation: metadata.annotations?.[annotations.attachmentMode], ...around }).value === 'tap';
}

/** A machine that names no interface has one in the pod network, unless it wants none (KubeVirt, autoattachPodInterface). */
function interfacesOf({ spec }: VirtualMachineInstance): readonly MachineInterface[] {
	const { interfaces = [], autoattachPodInterface = true } = (spec.domain.devices ?? {}) as {
		readonly interfaces?: readonly MachineInterface[];
		readonly autoattachPodInterface?: boolean;
	};
	return interfaces.length > 0 || !autoattachPodInterface ? interfaces : [{ name: spec.networks?.[0]?.name ?? 'default' }];
}

/** In the node's network KubeVirt's own bindings would make their bridges and NAT of the node's interfaces. */
function foreignNics(all: readonly MachineInterface[], own: readonly MachineInterface[]): readonly Problem[] {
	return all
		.filter((nic) => !own.includes(nic) && nic.sriov === undefined)
		.map((nic) => ({
			reason: 'AttachmentMode',
			what: `the launcher cannot be in the node's network`,
			why: `interface "${nic.name}" is connected in another way than mode tap, which would change the node's own interfaces`,
			fix: 'use mode tap for all NICs of the machine, or for none',
		}));
}

/** They would ask the node, whose address the pod has then. */
function networkProbes(pod: Pod): readonly Problem[] {
	const containers = (pod.spec?.containers ?? []) as readonly LauncherContainer[];
	return containers.flatMap((container) =>
		probes
			.filter((probe) => ['httpGet', 'tcpSocket', 'grpc'].some((kind) => container[probe]?.[kind] !== undefined))
			.map((probe) => ({
				reason: 'AttachmentMode',
				what: `the ${probe} of the machine does not work in mode tap`,
				why: "it goes to the pod's address, which is the node's",
				fix: 'use exec or guestAgentPing, which KubeVirt runs in the guest',
			})),
	);
}

function podOperations(pod: Pod): readonly Operation[] {
	const { hostNetwork, dnsPolicy, containers = [], initContainers = [] } = (pod.spec ?? {}) as Partial<LauncherSpec>;
	const portsOf = (list: readonly Container[], field: string): Operation[] =>
		list.flatMap(({ ports }, index) => (ports === undefined ? [] : [{ op: 'remove', path: `/spec/${field}/${index}/ports` }]));
	return [
		...(hostNetwork === true ? [] : [{ op: 'add', path: '/spec/hostNetwork', value: true } as const]),
		// With ClusterFirst such a pod has the node's DNS.
		...(dnsPolicy === 'ClusterFirstWithHostNet' ? [] : [{ op: 'add', path: '/spec/dnsPolicy', value: 'ClusterFirstWithHostNet' } as const]),
		// Each would be taken from the node, and a second machine with the same port would find no node.
		...portsOf(containers, 'containers'),
		...portsOf(initContainers, 'initContainers'),
		...sidecarOperations(containers),
	];
}

/** A hook sidecar sees the instance only, which may leave the mode to its subnet. */
function sidecarOperations(containers: readonly Container[]): readonly Operation[] {
	const variable = { name: launcherModeVariable, value: 'tap' };
	return containers.flatMap(({ name, env }, index): Operation[] => {
		if (!name.startsWith('hook-sidecar-') || env?.some((one) => one.name === variable.name)) return [];
		const path = `/spec/containers/${index}/env`;
		return [env === undefined ? { op: 'add', path, value: [variable] } : { op: 'add', path: `${path}/-`, value: variable }];
	});
}

/** Tells KubeVirt which interface is the machine's: it would take the addresses of the node's eth0 for the machine's. */
function statusOperations(pod: Pod, { metadata }: VirtualMachineInstance, nic: MachineInterface): readonly Operation[] {
	const mac = nic.macAddress === undefined ? {} : { mac: nic.macAddress };
	const value = JSON.stringify([{ name: 'tapestry', interface: hostTapName(metadata.uid ?? '', nic.name), default: true, ...mac }]);
	const present = pod.metadata.annotations;
	if (present?.[networkStatus] === value) return [];
	if (present === undefined) return [{ op: 'add', path: '/metadata/annotations', value: { [networkStatus]: value } }];
	return [{ op: 'add', path: `/metadata/annotations/${networkStatus.replaceAll('/', '~1')}`, value }];
}
