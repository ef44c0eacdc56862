/** A netlink attribute (struct nlattr, netlink(7)): the payload is bytes, or nested attributes. */
export interface Attribute {
	readonly type: number;
	readonly value: Uint8Array | readonly Attribute[];
}

/** A decoded attribute. The flags NLA_F_NESTED and NLA_F_NET_BYTEORDER are taken off the type. */
export interface RawAttribute {
	readonly type: number;
	readonly value: Uint8Array;
}

const headerLength = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** Netlink pads messages and attributes to 4 bytes. */
export const align = (length: number): number => (length + 3) & ~3;

export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
	const payloads = attributes.map(({ value }) => (value instanceof Uint8Array ? value : encodeAttributes(value)));
	const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + headerLength + align(payload.length), 0));
	const view = new DataView(bytes.buffer);
	let offset = 0;
	for (const [index, payload] of payloads.entries()) {
		const attribute = attributes[index] as Attribute;
		// Strictly checked families (nfnetlink, newer rtnetlink messages) refuse a nest without the flag; the others ignore it.
		const flags = attribute.value instanceof Uint8Array ? 0 : NLA_F_NESTED;
		view.setUint16(offset, headerLength + payload.length, true);
		view.setUint16(offset + 2, attribute.type | flags, true);
		bytes.set(payload, offset + headerLength);
		offset += headerLength + align(payload.length);
	}
	return bytes;
}

/** Attributes by type, the last of a kind winning. A truncated attribute ends the list. */
export function decodeAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
	const found = new Map<number, Uint8Array>();
	for (const { type, value } of listAttributes(bytes)) found.set(type, value);
	return found;
}

export function listAttributes(bytes: Uint8Array): readonly RawAttribute[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const list: RawAttribute[] = [];
	let offset = 0;
	while (offset + headerLength <= bytes.length) {
		const length = view.getUint16(offset, true);
		if (length < headerLength || offset + length > bytes.length) break;
		list.push({ type: view.getUint16(offset + 2, true) & NLA_TYPE_MASK, value: bytes.subarray(offset + headerLength, offset + length) });
		offset += align(length);
	}
	return list;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A string with its terminating NUL. */
export const text = (value: string): Uint8Array => encoder.encode(`${value}\0`);
export const u8 = (value: number): Uint8Array => Uint8Array.of(value);
export const u32 = (value: number): Uint8Array => {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, value, true);
	return bytes;
};
/** Big-endian, as nfnetlink wants its numbers. */
export const be32 = (value: number): Uint8Array => {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, value);
	return bytes;
};

export function textOf(bytes: Uint8Array): string {
	const end = bytes.indexOf(0);
	return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
export const u32Of = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(a.length + b.length);
	bytes.set(a);
	bytes.set(b, a.length);
	return bytes;
}
