import type { Family, Ip } from '@tapestry/base';
import type { Protocol } from './packet.ts';

/** Who sends: a workload with a lease. */
export interface Sender {
	/** `Kind/namespace/name` of the workload. */
	readonly object: string;
	/** Name of its logical port, which is its lease's. */
	readonly port: string;
	/** An address that it sends from in place of its own. */
	readonly address?: Ip;
}

/** Who is asked for: a workload, a node, or an address, which may be a Service's. */
export type Target =
	| { readonly kind: 'workload'; readonly object: string; readonly port: string }
	| { readonly kind: 'node'; readonly object: string; readonly address: Ip }
	| { readonly kind: 'address'; readonly object: string | undefined; readonly address: Ip };

export interface ReachQuestion {
	readonly from: Sender;
	readonly to: Target;
	readonly family: Family;
	readonly protocol: Protocol;
	/** Of TCP, UDP and SCTP. */
	readonly targetPort?: number;
	/** Bytes of the IP packet. */
	readonly size?: number;
	/** Which of a Service's endpoints, where all are to be looked at apart. */
	readonly backend?: number;
}

/** What the rows do not say. All of it may be left out: then the answer is the network's alone. */
export interface Observed {
	readonly nodes: ReadonlyMap<string, ObservedNode>;
	/** By `Kind/namespace/name`: why a workload has no address, in the words of its condition. */
	readonly waiting: ReadonlyMap<string, string>;
	/** Names of ports that are on a NIC of their node instead of the switch. */
	readonly pastSwitch: ReadonlySet<string>;
	/** By subnet, of its ports, in bytes. */
	readonly mtus: ReadonlyMap<string, number>;
	/** The largest packet that the nodes' own network carries between them, after encapsulation. */
	readonly betweenNodes: number | undefined;
}

export interface ObservedNode {
	readonly addresses: readonly Ip[];
	readonly isReady: boolean;
	/** Why it is not. */
	readonly trouble: string | undefined;
}

export const nothingObserved: Observed = {
	nodes: new Map(),
	waiting: new Map(),
	pastSwitch: new Set(),
	mtus: new Map(),
	betweenNodes: undefined,
};
