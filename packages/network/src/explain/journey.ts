import { type Expression, matches, type PacketFields, parseMatch } from '../match/index.ts';
import type { Balancer, LogicalNetwork, RouterPort, Rule, SwitchPort, Vip } from './logical-network.ts';
import type { Packet } from './packet.ts';
import type { Origin } from './snapshot.ts';

/** A rule that decided something, as it is shown. */
export interface Cited {
	readonly origin: Origin | undefined;
	/** Further rules that had to agree: `Kind/namespace/name path`. */
	readonly also: readonly string[];
	/** The row in OVN's words. */
	readonly rule: string;
}

/** One thing that happened to the packet. */
export interface Step {
	readonly at: string;
	readonly what: string;
	readonly by?: Cited;
}

/** Where the packet is next: it enters a switch or a router by a port. */
export type Place =
	| { readonly kind: 'switch'; readonly port: SwitchPort; readonly to: SwitchPort; readonly packet: Packet }
	| { readonly kind: 'router'; readonly port: RouterPort; readonly packet: Packet };

export type DropReason =
	| 'policy'
	| 'route-policy'
	| 'port-security'
	| 'no-endpoints'
	| 'no-route'
	| 'no-such-address'
	| 'no-next-hop'
	| 'no-gateway'
	| 'router-address'
	| 'loop';

export type End =
	| { readonly kind: 'delivered'; readonly port: SwitchPort; readonly packet: Packet }
	/** A router has the address and answers pings itself. */
	| { readonly kind: 'answered'; readonly port: RouterPort; readonly enteredBy: RouterPort; readonly packet: Packet }
	/** It leaves the logical network by a port whose other side is not known. */
	| { readonly kind: 'left'; readonly port: SwitchPort; readonly packet: Packet }
	| {
			readonly kind: 'dropped';
			readonly reason: DropReason;
			readonly at: string;
			readonly detail: string;
			readonly by?: Cited;
			/** Whether the sender is told at once. */
			readonly isRefused?: boolean;
			/** The objects of the router or switch where it ended. */
			readonly origin?: Origin | undefined;
	  };

/** What one walk collects. */
export interface Journey {
	readonly network: LogicalNetwork;
	readonly steps: Step[];
	/** The rules that let the packet pass. */
	readonly allowedBy: Cited[];
	/** The packet as the sender put it on its link. */
	sent: Packet | undefined;
	/** A Service that the packet was for, and its endpoints. */
	balanced: { readonly balancer: Balancer; readonly vip: Vip } | undefined;
	/** Which of a Service's endpoints is taken. */
	readonly backend: number;
	/** Whether the port is bound to the node. */
	isResident(port: string, node: string): boolean;
	/** Ports where the packet was let through untracked, so that its reply is a packet like any other. */
	readonly stateless: Set<string>;
}

export function drop(
	reason: DropReason,
	at: string,
	detail: string,
	more: { readonly by?: Cited; readonly isRefused?: boolean; readonly origin?: Origin | undefined } = {},
): End {
	return { kind: 'dropped', reason, at, detail, ...more };
}

export function cite(rule: Rule, kind: string): Cited {
	return { origin: rule.origin, also: rule.also, rule: `${kind} ${rule.priority} ${rule.action}: ${rule.match}` };
}

const parsed = new Map<string, Expression | undefined>();

/** Whether a rule's expression holds; one that OVN could not read does nothing. */
export function holds(journey: Journey, match: string, fields: PacketFields, node: string): boolean {
	if (!parsed.has(match)) {
		// Rules of a question that is answered now: the cache is for the many rows with one text, not for all times.
		if (parsed.size > 10_000) parsed.clear();
		parsed.set(match, readable(match));
	}
	const expression = parsed.get(match);
	const { network } = journey;
	return (
		expression !== undefined &&
		matches(expression, fields, {
			addressSet: (name) => network.addressSet(name),
			isInGroup: (port, group) => network.isInGroup(port, group),
			isResident: (port) => journey.isResident(port, node),
		})
	);
}

function readable(match: string): Expression | undefined {
	try {
		return parseMatch(match);
	} catch {
		return undefined;
	}
}
