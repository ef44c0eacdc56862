import { badRequest } from '../errors.ts';

/** One field of a message: its number, and a varint or the bytes of a string or message. */
export interface WireField {
	readonly number: number;
	readonly value: bigint | Uint8Array;
}

/** Splits a message into its fields (Protocol Buffers documentation, "Encoding"). Throws BadRequest. */
export function* readFields(bytes: Uint8Array): Iterable<WireField> {
	let at = 0;
	const varint = (): bigint => {
		let value = 0n;
		for (let shift = 0n; shift < 70n; shift += 7n) {
			const byte = bytes[at++];
			if (byte === undefined) throw malformed();
			value |= BigInt(byte & 0x7f) << shift;
			if (byte < 0x80) return value;
		}
		throw malformed();
	};
	const take = (length: number): Uint8Array => {
		if (length > bytes.length - at) throw malformed();
		at += length;
		return bytes.subarray(at - length, at);
	};
	while (at < bytes.length) {
		const tag = Number(varint());
		const number = tag >>> 3;
		const type = tag & 7;
		if (type === 0) yield { number, value: varint() };
		else if (type === 1) yield { number, value: take(8) };
		else if (type === 2) yield { number, value: take(Number(varint())) };
		else if (type === 5) yield { number, value: take(4) };
		else throw malformed();
	}
}

export function malformed(): Error {
	return badRequest('the body of the request is not a well-formed protobuf message');
}
