export type Fact = string | number | boolean | readonly string[] | Readonly<Record<string, string | number>>;

/** One station on the way of a packet from a workload into its network. */
export interface Hop {
	/** What it is: `tap`, `logical port`. */
	readonly kind: string;
	/** Its own name: `tapa3dd8ba2fe3`, `vm.demo`. */
	readonly name: string;
	/** What is known of it, by Open vSwitch's, OVN's or the kernel's own word; what does not apply is `undefined`. */
	readonly facts: Readonly<Record<string, Fact | undefined>>;
	/** Why it could not be looked at. */
	readonly trouble?: string;
}

/** The path of one port, from the workload to its VPC. */
export interface PortPath {
	/** `vm/NAME` or `pod/NAME`. */
	readonly workload: string;
	readonly namespace: string;
	readonly node: string;
	readonly hops: readonly Hop[];
	/** What does not fit together, each a sentence. */
	readonly faults: readonly string[];
}
