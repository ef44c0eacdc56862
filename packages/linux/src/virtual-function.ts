import { macToBytes } from '@tapestry/base';
import { getLink, type LinkId } from './link.ts';
import { ifinfo, RTM_SETLINK } from './link-message.ts';
import { concat, encodeAttributes } from './netlink/attributes.ts';
import { NLM_F_ACK } from './netlink/message.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

const IFLA_VFINFO_LIST = 22;
const IFLA_VF_INFO = 1;
const IFLA_VF_MAC = 1;
/** MAX_ADDR_LEN */
const addressBytes = 32;

/**
 * Gives a virtual function its MAC address, through the physical one: whoever drives the virtual function finds it so.
 * Throws LINUX_ENOTSUP when the device has none.
 */
export function setVirtualFunctionMac(
	socket: NetlinkSocket,
	physical: LinkId,
	change: { readonly index: number; readonly mac: string },
): void {
	// struct ifla_vf_mac
	const value = new Uint8Array(4 + addressBytes);
	new DataView(value.buffer).setUint32(0, change.index, true);
	value.set(macToBytes(change.mac), 4);
	const attributes = [{ type: IFLA_VFINFO_LIST, value: [{ type: IFLA_VF_INFO, value: [{ type: IFLA_VF_MAC, value }] }] }];
	socket.request({
		type: RTM_SETLINK,
		flags: NLM_F_ACK,
		payload: concat(ifinfo({ index: getLink(socket, physical).index }), encodeAttributes(attributes)),
		operation: 'set the address of a virtual function',
		subject: String(physical),
	});
}
