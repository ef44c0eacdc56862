import { CodedError } from '@tapestry/base';

// The part of protobuf's wire format (developers.google.com/protocol-buffers/docs/encoding) that small messages need: varints and
// length-delimited fields. Others are skipped over.

/** A field as it stands on the wire. */
export type WireField =
	| { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
	| { readonly number: number; readonly kind: 'bytes'; readonly value: Uint8Array };

/** The fields of a message in their order. Unknown ones are the caller's to ignore. @throws PROTOBUF_MALFORMED */
export function readMessage(bytes: Uint8Array): readonly WireField[] {
	const reader = new Reader(bytes);
	const fields: WireField[] = [];
	while (!reader.atEnd) {
		const tag = reader.varint();
		const number = Number(tag >> 3n);
		if (number < 1 || number > 536_870_911) throw malformed(`field number ${number} is out of range`);
		const kind = Number(tag & 7n);
		if (kind === 0) fields.push({ number, kind: 'varint', value: reader.varint() });
		else if (kind === 2) fields.push({ number, kind: 'bytes', value: reader.take(reader.varint()) });
		else if (kind === 1) reader.take(8n);
		else if (kind === 5) reader.take(4n);
		else throw malformed(`wire type ${kind} is unknown`);
	}
	return fields;
}

class Reader {
	readonly #bytes: Uint8Array;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	get atEnd(): boolean {
		return this.#at === this.#bytes.length;
	}

	varint(): bigint {
		let value = 0n;
		for (let shift = 0n; shift < 70n; shift += 7n) {
			const byte = this.#bytes[this.#at++];
			if (byte === undefined) throw malformed('it ends within a number');
			value |= BigInt(byte & 0x7f) << shift;
			if (byte < 0x80) return BigInt.asUintN(64, value);
		}
		throw malformed('a number is longer than ten bytes');
	}

	take(length: bigint): Uint8Array {
		const left = this.#bytes.length - this.#at;
		if (length > BigInt(left)) throw malformed(`a field of ${length} bytes has ${left} left`);
		const start = this.#at;
		this.#at += Number(length);
		return this.#bytes.subarray(start, this.#at);
	}
}

function malformed(why: string): CodedError {
	return new CodedError('PROTOBUF_MALFORMED', { what: 'a message cannot be read', why });
}

/** The value of the last field of that number, as proto3 has it; empty when there is none. */
export function bytesField(fields: readonly WireField[], number: number): Uint8Array {
	return bytesFields(fields, number).at(-1) ?? new Uint8Array();
}

export function bytesFields(fields: readonly WireField[], number: number): readonly Uint8Array[] {
	return fields.flatMap((field) => (field.number === number && field.kind === 'bytes' ? [field.value] : []));
}

/** An int32, which is written as a 64-bit varint when it is negative; 0 when there is none. */
export function int32Field(fields: readonly WireField[], number: number): number {
	const found = fields.findLast((field) => field.number === number && field.kind === 'varint');
	return found?.kind === 'varint' ? Number(BigInt.asIntN(32, found.value)) : 0;
}

/** Strings are UTF-8; nothing is written for an empty value. */
export function writeBytes(number: number, value: Uint8Array | string): Uint8Array {
	const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
	return bytes.length === 0 ? bytes : joinBytes(varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes);
}

export function writeInt32(number: number, value: number): Uint8Array {
	return value === 0 ? new Uint8Array() : joinBytes(varint(BigInt(number * 8)), varint(BigInt.asUintN(64, BigInt(value))));
}

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
	const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		joined.set(part, at);
		at += part.length;
	}
	return joined;
}

function varint(value: bigint): Uint8Array {
	const bytes: number[] = [];
	let left = value;
	for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
	return Uint8Array.from([...bytes, Number(left)]);
}
