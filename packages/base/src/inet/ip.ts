export type Family = 4 | 6;

/** One address. `value` is the address as an unsigned integer of 32 or 128 bits, so that addresses compare and add. */
export interface Ip {
	readonly family: Family;
	readonly value: bigint;
}

/** The number of bits of an address. */
export function addressBits(family: Family): 32 | 128 {
	return family === 4 ? 32 : 128;
}

/**
 * Reads an IPv4 dotted quad (four decimal octets, no leading zeros: RFC 6943 section 3.1.1 tells why) or any IPv6 form of RFC 4291
 * section 2.2. Zone identifiers, prefixes and surrounding blanks are refused.
 */
export function parseIp(text: string): Ip | undefined {
	if (text.includes(':')) {
		const value = parseV6(text);
		return value === undefined ? undefined : { family: 6, value };
	}
	const value = parseV4(text);
	return value === undefined ? undefined : { family: 4, value: BigInt(value) };
}

/** The canonical text of an address: RFC 5952, with the mixed notation of its section 5 for IPv4-mapped addresses. */
export function formatIp(ip: Ip): string {
	return ip.family === 4 ? formatV4(Number(ip.value)) : formatV6(ip.value);
}

/** Orders IPv4 before IPv6, then by value. */
export function compareIps(a: Ip, b: Ip): number {
	if (a.family !== b.family) return a.family - b.family;
	return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

/** Network byte order, 4 or 16 bytes. */
export function ipToBytes(ip: Ip): Uint8Array {
	const bytes = new Uint8Array(addressBits(ip.family) / 8);
	let rest = ip.value;
	for (let at = bytes.length - 1; at >= 0; at--) {
		bytes[at] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	return bytes;
}

/** The address in 4 or 16 bytes of network byte order; undefined for any other length. */
export function ipFromBytes(bytes: Uint8Array): Ip | undefined {
	if (bytes.length !== 4 && bytes.length !== 16) return undefined;
	let value = 0n;
	for (const byte of bytes) value = (value << 8n) | BigInt(byte);
	return { family: bytes.length === 4 ? 4 : 6, value };
}

const quad = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function parseV4(text: string): number | undefined {
	const match = quad.exec(text);
	if (!match) return undefined;
	let value = 0;
	for (const octet of match.slice(1)) {
		const number = Number(octet);
		if (number > 255) return undefined;
		value = value * 256 + number;
	}
	return value;
}

function parseV6(text: string): bigint | undefined {
	const halves = text.split('::');
	if (halves.length > 2) return undefined;
	const head = parseGroups(halves[0] ?? '', halves.length === 1);
	const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
	if (!head || !tail) return undefined;
	const missing = 8 - head.length - tail.length;
	// "::" stands for one or more groups of zeros (RFC 4291 section 2.2), never for none.
	if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
	return [...head, ...Array<number>(missing).fill(0), ...tail].reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

const hexGroup = /^[0-9a-fA-F]{1,4}$/;

/** 16-bit groups of one side of `::`. An embedded IPv4 address may only be what the whole text ends in. */
function parseGroups(text: string, last: boolean): number[] | undefined {
	if (text === '') return [];
	const groups: number[] = [];
	const parts = text.split(':');
	for (const [index, part] of parts.entries()) {
		if (hexGroup.test(part)) {
			groups.push(Number.parseInt(part, 16));
			continue;
		}
		const embedded = last && index === parts.length - 1 ? parseV4(part) : undefined;
		if (embedded === undefined) return undefined;
		groups.push(embedded >>> 16, embedded & 0xffff);
	}
	return groups;
}

function formatV4(value: number): string {
	return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function formatV6(value: bigint): string {
	if (value >> 32n === 0xffffn) return `::ffff:${formatV4(Number(value & 0xffff_ffffn))}`;
	const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
	const zeros = longestZeroRun(groups);
	const hex = groups.map((group) => group.toString(16));
	if (zeros.length < 2) return hex.join(':');
	return `${hex.slice(0, zeros.start).join(':')}::${hex.slice(zeros.start + zeros.length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952 section 4.2.3). */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
	let best = { start: 0, length: 0 };
	let length = 0;
	for (const [index, group] of groups.entries()) {
		length = group === 0 ? length + 1 : 0;
		if (length > best.length) best = { start: index - length + 1, length };
	}
	return best;
}
