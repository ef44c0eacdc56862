import type { Family } from '@tapestry/base';
import type { LabelSelector } from '../api/common.ts';

// What policies say, in one form for all kinds. docs/design/0009-verdicts.md tells who overrides whom.

export type Direction = 'ingress' | 'egress';

export interface NamespaceFacts {
	readonly name: string;
	readonly labels: Readonly<Record<string, string>>;
}

/** Ports by the labels of their owners. */
export interface SelectorFacts {
	/** One namespace by name, or all that the selector picks. */
	readonly namespaces: string | LabelSelector;
	readonly pods: LabelSelector;
	/** `Kind/namespace/name` of the policies that are about these ports, sorted. */
	readonly subjectOf: readonly string[];
}

export interface PortNameFacts {
	readonly protocol: NumberedProtocol;
	readonly name: string;
}

export type NumberedProtocol = 'tcp' | 'udp' | 'sctp';

export interface PortSpan {
	readonly first: number;
	readonly last: number;
}

/** Traffic of one protocol. */
export type TrafficFacts =
	| { readonly protocol: NumberedProtocol; readonly destination: PortSpan | undefined; readonly source: PortSpan | undefined }
	/** The port that the receiving container calls so. */
	| { readonly protocol: NumberedProtocol; readonly named: string }
	| { readonly protocol: 'icmp' };

/** The other side of the traffic. */
export type PeerFacts =
	| { readonly kind: 'selector'; readonly selector: string }
	/** Addresses and blocks of both families; none for a block that is wholly excepted. */
	| { readonly kind: 'addresses'; readonly addresses: readonly string[] }
	| { readonly kind: 'group'; readonly group: string }
	| { readonly kind: 'nodes'; readonly nodes: LabelSelector };

/** One rule for one peer. */
export interface RuleFacts {
	/** Where it is written: `spec.ingress[0].from[1]`. */
	readonly path: string;
	readonly direction: Direction;
	readonly action: 'allow' | 'deny' | 'pass';
	/** Undefined for anybody. */
	readonly peer: PeerFacts | undefined;
	/** Undefined for all traffic. */
	readonly traffic: readonly TrafficFacts[] | undefined;
}

/** A NetworkPolicy, AdminNetworkPolicy or BaselineAdminNetworkPolicy. */
export interface PolicyFacts {
	/** `Kind/namespace/name`, or `Kind/name` of a kind without namespaces. */
	readonly owner: string;
	/** Key of the selector of the ports that it is about. */
	readonly subject: string;
	/** The directions in which all is denied that no rule allows. */
	readonly isolates: readonly Direction[];
	/** The first that applies counts, where more than one does. */
	readonly rules: readonly RuleFacts[];
	/** Of several AdminNetworkPolicies the one with the lowest counts. */
	readonly priority: number;
}

export interface SecurityGroupFacts {
	readonly name: string;
	readonly rules: readonly SecurityRuleFacts[];
	readonly allowsSameGroup: boolean;
}

export interface SecurityRuleFacts extends RuleFacts {
	/** Lower goes first. */
	readonly priority: number;
	readonly family: Family | undefined;
	/** Address or block of this side. */
	readonly local: string | undefined;
}

export interface SubnetAclFacts {
	readonly path: string;
	readonly direction: Direction;
	/** An expression that OVN can parse. */
	readonly match: string;
	readonly action: 'allow' | 'drop' | 'reject';
}
