import { align } from './attributes.ts';

/** A netlink message (struct nlmsghdr, netlink(7)). All numbers are little-endian: the supported machines are (amd64, arm64). */
export interface Message {
	readonly type: number;
	readonly flags: number;
	readonly sequence: number;
	readonly payload: Uint8Array;
}

const headerLength = 16;

// linux/netlink.h
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

export function encodeMessages(messages: readonly Message[]): Uint8Array {
	const bytes = new Uint8Array(messages.reduce((sum, message) => sum + align(headerLength + message.payload.length), 0));
	const view = new DataView(bytes.buffer);
	let offset = 0;
	for (const { type, flags, sequence, payload } of messages) {
		view.setUint32(offset, headerLength + payload.length, true);
		view.setUint16(offset + 4, type, true);
		view.setUint16(offset + 6, flags, true);
		view.setUint32(offset + 8, sequence, true);
		bytes.set(payload, offset + headerLength);
		offset += align(headerLength + payload.length);
	}
	return bytes;
}

/** The messages of one datagram. A truncated one ends the list. Payloads are views into `bytes`. */
export function decodeMessages(bytes: Uint8Array): readonly Message[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const messages: Message[] = [];
	let offset = 0;
	while (offset + headerLength <= bytes.length) {
		const length = view.getUint32(offset, true);
		if (length < headerLength || offset + length > bytes.length) break;
		messages.push({
			type: view.getUint16(offset + 4, true),
			flags: view.getUint16(offset + 6, true),
			sequence: view.getUint32(offset + 8, true),
			payload: bytes.subarray(offset + headerLength, offset + length),
		});
		offset += align(length);
	}
	return messages;
}
