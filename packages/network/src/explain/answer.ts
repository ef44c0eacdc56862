import type { Cited, DropReason, Step } from './journey.ts';
import type { Packet } from './packet.ts';
import type { ReachQuestion } from './question.ts';

export type Reason =
	| DropReason
	| 'allowed'
	| 'private-subnet'
	| 'other-vpc'
	| 'no-address'
	| 'port-down'
	| 'past-switch'
	| 'node-down'
	| 'mtu'
	/** What was sent passes, what comes back does not. */
	| 'reply';

/** The answer to "why can A (not) reach B". */
export interface Answer {
	readonly question: ReachQuestion;
	readonly verdict: 'passes' | 'denied';
	readonly reason: Reason;
	/** One sentence, with the names. */
	readonly summary: string;
	/** `Kind/namespace/name` of the object to look at; absent where nothing is wrong, or where no object of ours is at fault. */
	readonly object: string | undefined;
	/** Where in its YAML. */
	readonly path: string | undefined;
	/** The row that denied, in OVN's words. */
	readonly rule: string | undefined;
	/** What to change so that it passes. */
	readonly fix: string | undefined;
	readonly steps: readonly Step[];
	readonly allowedBy: readonly Cited[];
	/** What else is worth knowing. */
	readonly notes: readonly string[];
	/** The packet that was followed, for ovn-trace; absent where none could be sent. */
	readonly sent: SentPacket | undefined;
	/** Name of the port that it is delivered at, by the model. */
	readonly deliveredTo: string | undefined;
	/** Name of the router's port whose address it is for, where a router answers. */
	readonly answeredBy: string | undefined;
}

export interface SentPacket {
	readonly switch: string;
	readonly inport: string;
	readonly packet: Packet;
	/** The endpoint taken in place of a Service's address, as `IP:port`. */
	readonly endpoint: string | undefined;
	/** Whether the Service has no other one. */
	readonly isOnlyEndpoint: boolean;
}
