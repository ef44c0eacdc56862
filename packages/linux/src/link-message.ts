import { macFromBytes } from '@tapestry/base';
import { decodeAttributes, textOf, u32Of } from './netlink/attributes.ts';

// linux/rtnetlink.h, linux/if_link.h, linux/if.h
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
export const IFLA_LINKINFO = 18;
export const IFLA_IFALIAS = 20;
export const IFLA_NET_NS_FD = 28;
const IFLA_CARRIER = 33;
const IFLA_LINK_NETNSID = 37;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
const IFLA_TUN_MULTI_QUEUE = 7;
const IFLA_TUN_NUM_QUEUES = 8;
const IFLA_TUN_NUM_DISABLED_QUEUES = 9;
export const IFF_UP = 0x1;
export const IFF_NOARP = 0x80;
export const IFF_ALLMULTI = 0x200;

/** RFC 2863's "up" as an `operState`, linux/if.h: the kernel has dealt with the device's carrier and passes on what is sent. */
export const operational = 6;

/** struct ifinfomsg, rtnetlink(7). */
export const ifinfoLength = 16;

/** A network device as the kernel describes it. */
export interface Link {
	readonly index: number;
	readonly name: string;
	/** `veth`, `tun`, `bridge` ...; undefined for hardware and the loopback. */
	readonly kind: string | undefined;
	readonly mac: string | undefined;
	/** What somebody wrote on it for people and programs (`ip link set DEV alias TEXT`). */
	readonly alias: string | undefined;
	readonly mtu: number;
	/** Administratively up. */
	readonly up: boolean;
	/** For a tap: some process holds it open. */
	readonly carrier: boolean;
	/** False when the device neither asks nor answers ARP (IFF_NOARP). */
	readonly arp: boolean;
	/** RFC 2863 operational state as in linux/if.h: 6 is up (`operational`), 2 is down. */
	readonly operState: number;
	/** Index of the bridge (or other master) that it belongs to. */
	readonly master: number | undefined;
	/** For a veth: the index of the other end, in the namespace `peerNamespaceId` when it is not the same. */
	readonly peer: number | undefined;
	readonly peerNamespaceId: number | undefined;
	/** Queues of a tap that processes hold open: used and switched off (TUNSETQUEUE). Known for multi-queue taps only. */
	readonly queues: { readonly used: number; readonly off: number } | undefined;
}

/** Reads the payload of an RTM_NEWLINK or RTM_DELLINK message. */
export function decodeLink(payload: Uint8Array): Link {
	const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
	const flags = view.getUint32(8, true);
	const attributes = decodeAttributes(payload.subarray(ifinfoLength));
	const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? empty);
	const data = decodeAttributes(info.get(IFLA_INFO_DATA) ?? empty);
	const kind = info.get(IFLA_INFO_KIND);
	const mac = attributes.get(IFLA_ADDRESS);
	const alias = attributes.get(IFLA_IFALIAS);
	return {
		index: view.getInt32(4, true),
		name: textOf(attributes.get(IFLA_IFNAME) ?? empty),
		kind: kind && textOf(kind),
		mac: mac?.length === 6 ? macFromBytes(mac) : undefined,
		alias: alias && textOf(alias),
		mtu: number(attributes, IFLA_MTU) ?? 0,
		up: (flags & IFF_UP) !== 0,
		carrier: attributes.get(IFLA_CARRIER)?.[0] === 1,
		arp: (flags & IFF_NOARP) === 0,
		operState: attributes.get(IFLA_OPERSTATE)?.[0] ?? 0,
		master: number(attributes, IFLA_MASTER),
		peer: number(attributes, IFLA_LINK),
		peerNamespaceId: number(attributes, IFLA_LINK_NETNSID),
		queues:
			data.get(IFLA_TUN_MULTI_QUEUE)?.[0] === 1
				? { used: number(data, IFLA_TUN_NUM_QUEUES) ?? 0, off: number(data, IFLA_TUN_NUM_DISABLED_QUEUES) ?? 0 }
				: undefined,
	};
}

export function ifinfo(options: { readonly index?: number; readonly flags?: number; readonly change?: number } = {}): Uint8Array {
	const bytes = new Uint8Array(ifinfoLength);
	const view = new DataView(bytes.buffer);
	view.setInt32(4, options.index ?? 0, true);
	view.setUint32(8, options.flags ?? 0, true);
	view.setUint32(12, options.change ?? 0, true);
	return bytes;
}

const empty = new Uint8Array(0);

function number(attributes: ReadonlyMap<number, Uint8Array>, type: number): number | undefined {
	const value = attributes.get(type);
	return value?.length === 4 ? u32Of(value) : undefined;
}
