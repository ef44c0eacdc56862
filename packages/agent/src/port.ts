import type { AttachmentModeName, ForwardedPort, KataAttachment } from '@tapestry/network';

/** An address of a port as users write it. */
export interface PortAddress {
	/** With the subnet's prefix length: `10.16.0.7/16`. */
	readonly address: string;
	/** The subnet's router in this family. */
	readonly gateway?: string;
}

/** What a port is in the network, whatever plugs it in: plain data, kept in the journal as it is. */
export interface Port {
	/** Name of the lease, of the logical switch port and of `external_ids:iface-id`. */
	readonly name: string;
	/** UID of what holds the lease; OVN binds only an interface whose `iface-id-ver` is this. */
	readonly ownerUid: string;
	readonly mac: string;
	/** IPv4 first. */
	readonly addresses: readonly PortAddress[];
	readonly mtu: number;
	readonly subnet: string;
}

/** A pod as the CNI request names it. */
export interface PodRef {
	readonly namespace: string;
	readonly name: string;
	/** Empty when the runtime did not tell. */
	readonly uid: string;
}

/** What a pod is to be connected as: itself, or the machine that it runs. */
export type Workload =
	| {
			readonly kind: 'pod';
			readonly port: Port;
			/** @default veth */
			readonly mode?: KataAttachment;
	  }
	| {
			readonly kind: 'machine';
			readonly port: Port;
			/** What the VMM will open on the tap: 1, or several on a multi-queue tap. */
			readonly queues: number;
			/** @default lift */
			readonly mode?: AttachmentModeName;
			/** The interface's `ports`. @default all */
			readonly forward?: readonly ForwardedPort[];
			/** The NIC of the node that a macvtap is on. @default the sandbox's veth */
			readonly parent?: string;
			/** What the tap is called where it is in the node's own namespace (mode `tap`). */
			readonly hostTap?: string;
	  };
