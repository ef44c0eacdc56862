import { formatIp, type Ip, ipFromBytes, ipToBytes, isCoded } from '@tapestry/base';
import { concat, decodeAttributes, encodeAttributes, u32, u32Of } from './netlink/attributes.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE } from './netlink/message.ts';
import type { NetlinkSocket, Request } from './netlink/socket.ts';
import { AF_INET, AF_INET6 } from './sys.ts';

// linux/if_addr.h
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;
const ifaddrLength = 8;

/** An address of an interface with the length of its on-link prefix. */
export interface InterfaceAddress {
	readonly ip: Ip;
	readonly prefix: number;
}

export interface AddressEntry extends InterfaceAddress {
	/** The interface's index. */
	readonly link: number;
}

/**
 * Adds an address (or does nothing when it is there). IPv6 addresses come without duplicate address detection: who hands them out has made
 * sure that they are unique, and detection would leave them unusable for about a second.
 */
export function addAddress(socket: NetlinkSocket, link: number, address: InterfaceAddress): void {
	socket.request(addressRequest(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, 'add address', link, address));
}

/** Takes an address off; does nothing when it is not there. */
export function removeAddress(socket: NetlinkSocket, link: number, address: InterfaceAddress): void {
	try {
		socket.request(addressRequest(RTM_DELADDR, 0, 'remove address', link, address));
	} catch (error) {
		if (!isCoded(error, 'LINUX_EADDRNOTAVAIL')) throw error;
	}
}

/** All addresses of the namespace, link-local ones included. */
export function listAddresses(socket: NetlinkSocket): readonly AddressEntry[] {
	const answers = socket.dump({ type: RTM_GETADDR, payload: new Uint8Array(ifaddrLength), operation: 'list addresses' });
	return answers.flatMap(({ type, payload }) => {
		if (type !== RTM_NEWADDR) return [];
		const attributes = decodeAttributes(payload.subarray(ifaddrLength));
		// IFA_ADDRESS is the other end on a point-to-point IPv4 link; IFA_LOCAL is then this one.
		const ip = ipFromBytes(attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) ?? new Uint8Array(0));
		return ip ? [{ ip, prefix: payload[1] ?? 0, link: u32Of(payload.subarray(4, 8)) }] : [];
	});
}

function addressRequest(type: number, flags: number, operation: string, link: number, { ip, prefix }: InterfaceAddress): Request {
	const header = new Uint8Array(ifaddrLength);
	header[0] = ip.family === 4 ? AF_INET : AF_INET6;
	header[1] = prefix;
	header.set(u32(link), 4);
	const bytes = ipToBytes(ip);
	const attributes = [
		{ type: IFA_LOCAL, value: bytes },
		{ type: IFA_ADDRESS, value: bytes },
		...(ip.family === 6 ? [{ type: IFA_FLAGS, value: u32(IFA_F_NODAD) }] : []),
	];
	return {
		type,
		flags: flags | NLM_F_ACK,
		payload: concat(header, encodeAttributes(attributes)),
		operation,
		subject: `${formatIp(ip)}/${prefix} on link ${link}`,
	};
}
