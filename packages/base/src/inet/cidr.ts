import { addressBits, type Family, formatIp, type Ip, parseIp } from './ip.ts';
import type { IpRange } from './ranges.ts';

/** A block of addresses. `network` has no bit set beyond `prefix`. */
export interface Cidr {
	readonly family: Family;
	readonly network: bigint;
	readonly prefix: number;
}

/** Reads `address/prefix` and clears the host bits; undefined when either part is malformed. */
export function parseCidr(text: string): Cidr | undefined {
	const [address, length, ...more] = text.split('/');
	if (address === undefined || length === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
	const ip = parseIp(address);
	const prefix = Number(length);
	if (!ip || prefix > addressBits(ip.family)) return undefined;
	return { family: ip.family, network: ip.value & ~hostMask(ip.family, prefix), prefix };
}

export function formatCidr(cidr: Cidr): string {
	return `${formatIp({ family: cidr.family, value: cidr.network })}/${cidr.prefix}`;
}

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
	return cidr.family === ip.family && (ip.value & ~hostMask(cidr.family, cidr.prefix)) === cidr.network;
}

/** Whether one contains the other; blocks cannot overlap in any other way. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
	const hostBits = addressBits(a.family) - Math.min(a.prefix, b.prefix);
	return a.family === b.family && (a.network ^ b.network) >> BigInt(hostBits) === 0n;
}

/** All addresses of the block, network and broadcast address included. */
export function cidrRange(cidr: Cidr): IpRange {
	return { family: cidr.family, first: cidr.network, last: cidr.network | hostMask(cidr.family, cidr.prefix) };
}

/** The fewest blocks that together hold the same addresses as the range, ascending. */
export function rangeCidrs({ family, first, last }: IpRange): Cidr[] {
	const cidrs: Cidr[] = [];
	const bits = addressBits(family);
	for (let network = first; network <= last; ) {
		let hostBits = 0;
		// As long as the block of twice the size begins here too and does not reach beyond the end.
		while (
			hostBits < bits &&
			(network & hostMask(family, bits - hostBits - 1)) === 0n &&
			network + (1n << BigInt(hostBits + 1)) - 1n <= last
		)
			hostBits++;
		cidrs.push({ family, network, prefix: bits - hostBits });
		network += 1n << BigInt(hostBits);
	}
	return cidrs;
}

/**
 * The lowest address a host may have. The block's own address is not one: in IPv4 it names the network, in IPv6 it is the
 * Subnet-Router anycast address (RFC 4291 section 2.6.1). Point-to-point blocks (RFC 3021, RFC 6164) and single addresses have no such address.
 */
export function firstAddress(cidr: Cidr): Ip {
	return { family: cidr.family, value: hasReservedEnds(cidr) ? cidr.network + 1n : cidr.network };
}

/** The highest address a host may have: below the broadcast address in IPv4, which IPv6 does not have. */
export function lastAddress(cidr: Cidr): Ip {
	const { family, last } = cidrRange(cidr);
	return { family, value: family === 4 && hasReservedEnds(cidr) ? last - 1n : last };
}

function hasReservedEnds(cidr: Cidr): boolean {
	return addressBits(cidr.family) - cidr.prefix >= 2;
}

function hostMask(family: Family, prefix: number): bigint {
	return (1n << BigInt(addressBits(family) - prefix)) - 1n;
}
