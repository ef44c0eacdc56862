import { isCoded, macToBytes } from '@tapestry/base';
import {
	decodeLink,
	IFF_ALLMULTI,
	IFF_NOARP,
	IFF_UP,
	IFLA_ADDRESS,
	IFLA_IFALIAS,
	IFLA_IFNAME,
	IFLA_INFO_DATA,
	IFLA_INFO_KIND,
	IFLA_LINK,
	IFLA_LINKINFO,
	IFLA_MASTER,
	IFLA_MTU,
	IFLA_NET_NS_FD,
	ifinfo,
	type Link,
	RTM_DELLINK,
	RTM_GETLINK,
	RTM_NEWLINK,
	RTM_SETLINK,
} from './link-message.ts';
import type { Namespace } from './namespace.ts';
import { type Attribute, concat, encodeAttributes, text, u8, u32 } from './netlink/attributes.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL } from './netlink/message.ts';
import { NETLINK_ROUTE, NetlinkSocket, type Request } from './netlink/socket.ts';

const VETH_INFO_PEER = 1;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFLA_BR_MCAST_SNOOPING = 23;
const IFLA_BRPORT_LEARNING = 8;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_BRIDGE = 4;

/** Opens a socket for the verbs on links, addresses and routes of a namespace; the process's own when left out. */
export function openRoute(namespace?: Namespace): NetlinkSocket {
	return NetlinkSocket.open(NETLINK_ROUTE, namespace);
}

/** A device by index (exact) or by name. */
export type LinkId = number | string;

export interface LinkOptions {
	readonly name: string;
	readonly mac?: string;
	readonly mtu?: number;
}

export interface LinkChange {
	readonly name?: string;
	readonly mac?: string;
	readonly mtu?: number;
	readonly up?: boolean;
	/** False sets IFF_NOARP. */
	readonly arp?: boolean;
	/** Whether it receives all multicast, and not only of groups that somebody has joined on it. */
	readonly allMulticast?: boolean;
	/** Up to 255 bytes; an empty one removes it. */
	readonly alias?: string;
	/** Index of the new master; 0 takes it out. */
	readonly master?: number;
	/** Moves the device. With `name` the kernel renames it in the same step, so that it never has a name that is taken on either side. A moved device is down. */
	readonly namespace?: Namespace;
}

/** Makes a veth pair: one end here, the other directly in `peer.namespace` under its final name. Throws LINUX_EEXIST. */
export function createVeth(
	socket: NetlinkSocket,
	options: LinkOptions & { readonly peer: LinkOptions & { readonly namespace?: Namespace } },
): void {
	const { peer } = options;
	const peerAttributes = [...linkAttributes(peer), ...(peer.namespace ? [{ type: IFLA_NET_NS_FD, value: u32(peer.namespace.fd) }] : [])];
	const peerInfo = concat(ifinfo(), encodeAttributes(peerAttributes));
	create(socket, 'create veth', options, [
		{ type: IFLA_INFO_KIND, value: text('veth') },
		{ type: IFLA_INFO_DATA, value: [{ type: VETH_INFO_PEER, value: peerInfo }] },
	]);
}

/** Makes a bridge without ports. Throws LINUX_EEXIST. */
export function createBridge(socket: NetlinkSocket, options: LinkOptions & { readonly multicastSnooping?: boolean }): void {
	const snooping =
		options.multicastSnooping === undefined ? [] : [{ type: IFLA_BR_MCAST_SNOOPING, value: u8(Number(options.multicastSnooping)) }];
	create(socket, 'create bridge', options, [
		{ type: IFLA_INFO_KIND, value: text('bridge') },
		{ type: IFLA_INFO_DATA, value: snooping },
	]);
}

/** Whether a bridge remembers which addresses are behind one of its ports. */
export function setLearning(socket: NetlinkSocket, port: LinkId, learning: boolean): void {
	const data = [{ type: IFLA_BRPORT_LEARNING, value: u8(Number(learning)) }];
	const info = [
		{ type: IFLA_INFO_SLAVE_KIND, value: text('bridge') },
		{ type: IFLA_INFO_SLAVE_DATA, value: data },
	];
	const payload = concat(ifinfo({ index: getLink(socket, port).index }), encodeAttributes([{ type: IFLA_LINKINFO, value: info }]));
	socket.request({ type: RTM_NEWLINK, flags: NLM_F_ACK, payload, operation: 'change bridge port', subject: String(port) });
}

/**
 * Makes a macvtap in bridge mode on another device of the socket's namespace: beside it, or directly in `namespace`. Throws LINUX_EEXIST;
 * LINUX_EOPNOTSUPP where the kernel has none.
 */
export function createMacvtap(socket: NetlinkSocket, options: LinkOptions & { readonly on: LinkId; readonly namespace?: Namespace }): void {
	const { on, namespace } = options;
	create(
		socket,
		'create macvtap',
		options,
		[
			{ type: IFLA_INFO_KIND, value: text('macvtap') },
			{ type: IFLA_INFO_DATA, value: [{ type: IFLA_MACVLAN_MODE, value: u32(MACVLAN_MODE_BRIDGE) }] },
		],
		[
			{ type: IFLA_LINK, value: u32(getLink(socket, on).index) },
			...(namespace ? [{ type: IFLA_NET_NS_FD, value: u32(namespace.fd) }] : []),
		],
	);
}

/** Changes a device in one message, which the kernel applies in the order namespace, address, mtu, name, flags. */
export function setLink(socket: NetlinkSocket, id: LinkId, change: LinkChange): void {
	socket.request(changeOf(socket, id, change));
}

/**
 * Moves a device under a new name. The kernel waits for RCU callbacks (rcu_barrier in __dev_change_net_namespace: some 20 ms with 250 ticks a second,
 * whatever the device's state), so this is done off the JavaScript thread.
 */
export async function moveLink(from: Namespace, id: LinkId, to: { readonly namespace: Namespace; readonly name: string }): Promise<void> {
	// A socket of its own: nothing else may use one while its request is under way.
	using socket = openRoute(from);
	await socket.requestAsync(changeOf(socket, id, to));
}

function changeOf(socket: NetlinkSocket, id: LinkId, change: LinkChange): Request {
	const flag = (bit: number, on: boolean | undefined): number => (on ? bit : 0);
	const mask =
		flag(IFF_UP, change.up !== undefined) |
		flag(IFF_NOARP, change.arp !== undefined) |
		flag(IFF_ALLMULTI, change.allMulticast !== undefined);
	const flags = flag(IFF_UP, change.up) | flag(IFF_NOARP, change.arp === false) | flag(IFF_ALLMULTI, change.allMulticast);
	// A device given by name is first found by IFLA_IFNAME, which then cannot carry the new name too.
	const index = typeof id === 'number' ? id : change.name === undefined ? 0 : getLink(socket, id).index;
	const name = index === 0 ? (id as string) : change.name;
	const attributes: Attribute[] = [
		...linkAttributes({ ...change, name }),
		...(change.alias === undefined ? [] : [{ type: IFLA_IFALIAS, value: text(change.alias) }]),
		...(change.master === undefined ? [] : [{ type: IFLA_MASTER, value: u32(change.master) }]),
		...(change.namespace ? [{ type: IFLA_NET_NS_FD, value: u32(change.namespace.fd) }] : []),
	];
	return {
		type: RTM_SETLINK,
		flags: NLM_F_ACK,
		payload: concat(ifinfo({ index, flags, change: mask }), encodeAttributes(attributes)),
		operation: 'change link',
		subject: String(id),
	};
}

/** Throws LINUX_ENODEV. */
export function getLink(socket: NetlinkSocket, id: LinkId): Link {
	// An answer without NLM_F_ACK would leave `request` nothing to wait for; with it both come.
	const [answer] = socket.request({
		type: RTM_GETLINK,
		flags: NLM_F_ACK,
		payload: identify(id),
		operation: 'read link',
		subject: String(id),
	});
	return decodeLink((answer as { readonly payload: Uint8Array }).payload);
}

export function findLink(socket: NetlinkSocket, id: LinkId): Link | undefined {
	try {
		return getLink(socket, id);
	} catch (error) {
		if (isCoded(error, 'LINUX_ENODEV')) return undefined;
		throw error;
	}
}

export function listLinks(socket: NetlinkSocket): readonly Link[] {
	return socket
		.dump({ type: RTM_GETLINK, payload: ifinfo(), operation: 'list links' })
		.filter(({ type }) => type === RTM_NEWLINK)
		.map(({ payload }) => decodeLink(payload));
}

/** Deletes a device; false when there is none. The kernel waits for RCU (some 18 ms), so this is done off the JavaScript thread. */
export async function deleteLink(id: LinkId, namespace?: Namespace): Promise<boolean> {
	// A socket of its own: nothing else may use one while its request is under way.
	using socket = openRoute(namespace);
	try {
		await socket.requestAsync(deletion(id));
		return true;
	} catch (error) {
		if (isCoded(error, 'LINUX_ENODEV')) return false;
		throw error;
	}
}

const deletion = (id: LinkId): Request => ({
	type: RTM_DELLINK,
	flags: NLM_F_ACK,
	payload: identify(id),
	operation: 'delete link',
	subject: String(id),
});

function create(
	socket: NetlinkSocket,
	operation: string,
	options: LinkOptions,
	info: readonly Attribute[],
	more: readonly Attribute[] = [],
): void {
	const payload = concat(ifinfo(), encodeAttributes([...linkAttributes(options), ...more, { type: IFLA_LINKINFO, value: info }]));
	socket.request({ type: RTM_NEWLINK, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, payload, operation, subject: options.name });
}

function identify(id: LinkId): Uint8Array {
	if (typeof id === 'number') return ifinfo({ index: id });
	return concat(ifinfo(), encodeAttributes([{ type: IFLA_IFNAME, value: text(id) }]));
}

function linkAttributes(options: {
	readonly name?: string | undefined;
	readonly mac?: string | undefined;
	readonly mtu?: number | undefined;
}): Attribute[] {
	const attributes: Attribute[] = [];
	if (options.name !== undefined) attributes.push({ type: IFLA_IFNAME, value: text(options.name) });
	if (options.mac !== undefined) attributes.push({ type: IFLA_ADDRESS, value: macToBytes(options.mac) });
	if (options.mtu !== undefined) attributes.push({ type: IFLA_MTU, value: u32(options.mtu) });
	return attributes;
}
