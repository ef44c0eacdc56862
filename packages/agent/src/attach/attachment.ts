import { createHash } from 'node:crypto';
import type { Signal } from '@tapestry/base';
import type { AttachmentModeName, ForwardedPort, KataAttachment } from '@tapestry/network';
import type { PodRef, Port } from '../port.ts';

/** Containers have a veth, or, in a Kata sandbox that asks for it, one of the other three; a machine's NIC has what was chosen for it. */
export type PodModeName = 'veth' | 'host-tap' | 'kata-vhost-user' | 'vfio';
export type ModeName = PodModeName | AttachmentModeName;

/** One interface of one sandbox, as the CNI specification identifies it, and how it is connected. Plain data: this is the journal's entry. */
export interface Attachment {
	readonly containerId: string;
	readonly ifname: string;
	/** Name of the CNI network; GC removes the attachments of one network. */
	readonly network: string;
	/** Path of the sandbox's network namespace. */
	readonly netns: string;
	readonly pod: PodRef;
	readonly mode: ModeName;
	/** Name of the device on the node's side. */
	readonly device: string;
	readonly port: Port;
	/** What the VMM opens on the tap; 1 for pods. */
	readonly queues: number;
	/** The virtual function that the runtime allotted to the sandbox (mode `vfio`). */
	readonly pciAddress?: string;
	/** The NIC of the node that the machine's device is on (mode `macvtap`). @default the sandbox's veth */
	readonly parent?: string;
	/** What is let in where the mode lets only some ports in. @default all */
	readonly forward?: readonly ForwardedPort[];
	/** False while an ADD is under way: what it left when the agent died has to be undone. */
	readonly complete: boolean;
}

/** A device that an attachment put into the sandbox, for the CNI result. */
export interface SandboxInterface {
	readonly name: string;
	readonly mac: string;
	readonly mtu: number;
	/** Path of the namespace; absent for the node's side. */
	readonly sandbox?: string;
}

/** What holds an attachment together now, for people and for CHECK. */
export interface AttachmentState {
	/** Devices from the workload to the switch: `eth0 -> 5f0c_h -> br-int`. */
	readonly path: readonly string[];
	/** Whether packets can flow: the flows are installed. */
	readonly connected: boolean;
	/** What is not as ADD left it, each a sentence. */
	readonly faults: readonly string[];
}

/** What removing an attachment needs; all of it follows from the request when there is no record. */
export type DisconnectTarget = Pick<Attachment, 'containerId' | 'ifname' | 'netns' | 'device'>;

/**
 * One way to connect a workload to the switch. All ways share the port: its lease, its policies, its logical port. Methods are called one at a
 * time for an attachment.
 */
export interface AttachmentMode {
	readonly name: ModeName;
	/** Whether programs in the sandbox can use the port, so that its routes belong into the answer to ADD. */
	readonly servesSandbox: boolean;
	/**
	 * What this node lacks to attach anything in this way, or this attachment, each a sentence; empty when nothing does. Asked at every ADD, so it has to be
	 * quick.
	 */
	probe(attachment?: Attachment): Promise<readonly string[]>;
	/** Makes the devices. May leave some behind when it throws; `disconnect` removes them. */
	prepare(attachment: Attachment): Promise<readonly SandboxInterface[]>;
	/** Plugs the workload in. Resolves when packets flow, or, where the workload comes later, when that will happen by itself. */
	connect(attachment: Attachment, signal: Signal): Promise<void>;
	/** After an agent's restart: takes up again what `connect` had going and makes good what was missed meanwhile. */
	resume(attachment: Attachment): Promise<void>;
	/** Unplugs and removes all that is there, in any state, also nothing and without its namespace. */
	disconnect(target: DisconnectTarget, signal: Signal): Promise<void>;
	describe(attachment: Attachment): AttachmentState;
}

/** Every way that this agent knows. DEL without a record and the choice of a mode go through all of them. */
export type AttachmentModes = Readonly<Record<ModeName, AttachmentMode>>;

export const attachmentKey = (id: Pick<Attachment, 'containerId' | 'ifname'>): string => `${id.containerId}/${id.ifname}`;

/** Modes whose device on the node is the machine's own tap; the others have a veth there. */
const tapsOnNode: readonly ModeName[] = ['lift', 'tap'];
/** Ways to connect a pod, not a machine, by what a pod calls them. */
export const podModeOf: Readonly<Record<KataAttachment, PodModeName>> = {
	veth: 'veth',
	'host-tap': 'host-tap',
	'vhost-user': 'kata-vhost-user',
	vfio: 'vfio',
};
export const podModes: readonly ModeName[] = Object.values(podModeOf);

/**
 * Device name on the node's side: 14 bytes, unique for the sandbox and interface and the same at every call, so that it can be found again
 * without any record. Kube-OVN's form (`<part of the id>_h`) for pods; container ids of some runtimes share long prefixes, hence the hash.
 */
export function deviceName(mode: ModeName, id: Pick<Attachment, 'containerId' | 'ifname'>): string {
	const hash = createHash('sha256').update(attachmentKey(id)).digest('hex');
	if (mode === 'vhost-user') return `vhu${hash.slice(0, 11)}`;
	if (mode === 'host-tap') return `kata${hash.slice(0, 10)}`;
	if (mode === 'kata-vhost-user') return `kvhu${hash.slice(0, 10)}`;
	if (mode === 'vfio') return `kvf${hash.slice(0, 11)}`;
	return tapsOnNode.includes(mode) ? `tap${hash.slice(0, 11)}` : `${hash.slice(0, 12)}_h`;
}
