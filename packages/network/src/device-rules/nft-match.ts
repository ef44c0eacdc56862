import { cidrRange, type Family, formatIp, type IpRange, macFromBytes, mergeRanges } from '@tapestry/base';
import type { SetMember } from '../match/index.ts';
import { matching, meta, type NftMatch, payload } from '../nft-expressions.ts';
import type { Comparison } from './conjunctions.ts';

/** What a list of comparisons is in nftables, one condition each; none when no packet can meet them all; or why nftables cannot say it. */
export type NftConditions = { readonly all: readonly NftMatch[] } | { readonly none: true } | { readonly why: string };

/** Ethernet types by the names that nft has for them. */
const etherTypes: ReadonlyMap<bigint, string> = new Map([
	[0x800n, 'ip'],
	[0x86ddn, 'ip6'],
	[0x806n, 'arp'],
]);
/** One of each decides which other fields there are, so that comparisons of it are taken together. */
const selectors = ['eth.type', 'ip.proto'] as const;
const selectorMeta = { 'eth.type': 'protocol', 'ip.proto': 'l4proto' } as const;

const numbers: Readonly<Record<string, object>> = {
	'tcp.src': payload('tcp', 'sport'),
	'tcp.dst': payload('tcp', 'dport'),
	'udp.src': payload('udp', 'sport'),
	'udp.dst': payload('udp', 'dport'),
	'sctp.src': payload('sctp', 'sport'),
	'sctp.dst': payload('sctp', 'dport'),
	'icmp4.type': payload('icmp', 'type'),
	'icmp4.code': payload('icmp', 'code'),
	'icmp6.type': payload('icmpv6', 'type'),
	'icmp6.code': payload('icmpv6', 'code'),
};
const addresses: Readonly<Record<string, readonly [Family, object]>> = {
	'ip4.src': [4, payload('ip', 'saddr')],
	'ip4.dst': [4, payload('ip', 'daddr')],
	'ip6.src': [6, payload('ip6', 'saddr')],
	'ip6.dst': [6, payload('ip6', 'daddr')],
};
const macs: Readonly<Record<string, object>> = { 'eth.src': payload('ether', 'saddr'), 'eth.dst': payload('ether', 'daddr') };
const widths: Readonly<Record<string, number>> = {
	'eth.src': 48,
	'eth.dst': 48,
	'ip4.src': 32,
	'ip4.dst': 32,
	'ip6.src': 128,
	'ip6.dst': 128,
};

export function nftConditions(list: readonly Comparison[]): NftConditions {
	const all: NftMatch[] = [];
	for (const field of selectors) {
		const own = list.filter((one) => one.field === field);
		if (own.length === 0) continue;
		const values = selected(own);
		if (!values) return { why: `it tells ${field} by some of its bits` };
		const { wanted, excluded } = values;
		if (wanted?.length === 0) return { none: true };
		const names = (wanted ?? excluded).map((value) => named(field, value));
		all.push(matching(meta(selectorMeta[field]), oneOrSet(names), wanted ? '==' : '!='));
	}
	const types = selected(list.filter(({ field }) => field === 'eth.type'))?.wanted ?? [];
	for (const one of list) {
		if (selectors.some((field) => field === one.field)) continue;
		const condition = conditionOf(one, types);
		if (condition === undefined) return { why: `nftables cannot tell ${one.field} as it does` };
		if (condition === 'none') return { none: true };
		if (condition !== 'all') all.push(condition);
	}
	return { all };
}

interface Selected {
	/** What the field may be; undefined when comparisons only exclude. */
	readonly wanted: readonly bigint[] | undefined;
	readonly excluded: readonly bigint[];
}

/** All comparisons of one field together; undefined when they are about bits of it. */
function selected(list: readonly Comparison[]): Selected | undefined {
	let wanted: readonly bigint[] | undefined;
	const excluded = new Set<bigint>();
	for (const { relation, values } of list) {
		if ((relation !== '==' && relation !== '!=') || values.some(({ mask }) => mask !== undefined)) return undefined;
		const plain = values.map(({ value }) => value);
		if (relation === '!=') for (const value of plain) excluded.add(value);
		else wanted = (wanted ?? plain).filter((value) => plain.includes(value));
	}
	return { wanted: wanted?.filter((value) => !excluded.has(value)), excluded: [...excluded] };
}

function named(field: (typeof selectors)[number], value: bigint): string | number {
	return (field === 'eth.type' ? etherTypes.get(value) : undefined) ?? Number(value);
}

function conditionOf({ field, low, width, relation, values }: Comparison, types: readonly bigint[]): NftMatch | 'all' | 'none' | undefined {
	const number = numbers[field];
	const plain = values.every(({ mask }) => mask === undefined);
	if (field === 'ip.ttl' && plain && types.length === 1 && (relation === '==' || relation === '!=')) {
		const left = types[0] === 0x86ddn ? payload('ip6', 'hoplimit') : payload('ip', 'ttl');
		return matching(left, oneOrSet(values.map(({ value }) => Number(value))), relation);
	}
	if (number) {
		const isWhole = low === 0 && width === (field.startsWith('icmp') ? 8 : 16);
		if (!plain || !isWhole) return undefined;
		return matching(number, oneOrSet(values.map(({ value }) => Number(value))), relation);
	}
	if (low !== 0 || width !== widths[field] || (relation !== '==' && relation !== '!=')) return undefined;
	const mac = macs[field];
	if (mac) return plain ? matching(mac, oneOrSet(values.map(({ value }) => macText(value))), relation) : undefined;
	const [family, left] = addresses[field] ?? [];
	return family && left ? ofAddresses(family, left, relation, values) : undefined;
}

function ofAddresses(
	family: Family,
	left: object,
	relation: '==' | '!=',
	values: readonly SetMember[],
): NftMatch | 'all' | 'none' | undefined {
	const ranges = values.map((value) => rangeOf(family, value));
	const known = ranges.filter((range) => range !== undefined);
	if (known.length < ranges.length) return undefined;
	// nftables takes no intervals that overlap.
	const merged = mergeRanges(known).map((range) => intervalOf(range));
	if (merged[0] === 'all') return relation === '==' ? 'all' : 'none';
	return matching(left, oneOrSet(merged), relation);
}

function rangeOf(family: Family, { value, mask }: SetMember): IpRange | undefined {
	const width = family === 4 ? 32n : 128n;
	const whole = (1n << width) - 1n;
	const host = mask === undefined ? 0n : whole & ~mask;
	// Bits that count stand before those that do not.
	if ((host & (host + 1n)) !== 0n) return undefined;
	const prefix = Number(width) - (host === 0n ? 0 : host.toString(2).length);
	return cidrRange({ family, network: value & ~host, prefix });
}

function intervalOf({ family, first, last }: IpRange): unknown {
	const whole = (1n << (family === 4 ? 32n : 128n)) - 1n;
	if (first === 0n && last === whole) return 'all';
	const [from, to] = [formatIp({ family, value: first }), formatIp({ family, value: last })];
	return first === last ? from : { range: [from, to] };
}

function oneOrSet(values: readonly unknown[]): unknown {
	return values.length === 1 && typeof values[0] !== 'object' ? values[0] : { set: values };
}

function macText(value: bigint): string {
	const bytes = value.toString(16).padStart(12, '0').match(/../g) ?? [];
	return macFromBytes(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)));
}
