/** An interface as `ip addr show dev NAME` tells it: iproute2's and busybox' words are alike. */
export interface AddressedLink {
	readonly mac: string | undefined;
	readonly mtu: number | undefined;
	readonly up: boolean;
	/** With prefix: `10.16.0.5/16`. */
	readonly addresses: readonly string[];
}

export function parseAddressedLink(text: string): AddressedLink {
	const [, flags = '', mtu] = /^\d+: [^:]+: <([^>]*)> mtu (\d+)/m.exec(text) ?? [];
	return {
		mac: /link\/ether ([0-9a-f:]{17})/.exec(text)?.[1],
		mtu: mtu === undefined ? undefined : Number(mtu),
		up: flags.split(',').includes('UP'),
		addresses: [...text.matchAll(/^\s+inet6? (\S+)/gm)].map(([, address = '']) => address),
	};
}

/** A link as `ip -json -details link show` tells it; the members that the hops use. */
export interface DetailedLink {
	readonly ifname: string;
	readonly ifindex: number;
	/** Index of the veth's other end, in that end's namespace. */
	readonly link_index?: number;
	readonly flags: readonly string[];
	readonly mtu: number;
	readonly linkinfo?: {
		readonly info_kind?: string;
		/** Of a tap; `numqueues` counts the open ones and is there only with several. */
		readonly info_data?: {
			readonly multi_queue?: boolean;
			readonly numqueues?: number;
			readonly persist?: boolean;
			readonly user?: number | string;
		};
	};
}

/** @returns undefined when the output holds no link */
export function parseDetailedLink(text: string): DetailedLink | undefined {
	return (JSON.parse(text) as readonly DetailedLink[])[0];
}

/** The lower layer is up: of a tap, that somebody holds it open. */
export const hasCarrier = ({ flags }: DetailedLink): boolean => flags.includes('LOWER_UP');
