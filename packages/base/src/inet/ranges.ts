import { type Family, formatIp, type Ip, parseIp } from './ip.ts';

/** All addresses from `first` to `last`, both included; `first <= last`. */
export interface IpRange {
	readonly family: Family;
	readonly first: bigint;
	readonly last: bigint;
}

/** Reads one address or `first..last` (Kube-OVN's form); undefined when malformed, descending or of two families. */
export function parseIpRange(text: string): IpRange | undefined {
	const ends = text.split('..');
	if (ends.length > 2) return undefined;
	const first = parseIp(ends[0] ?? '');
	const last = ends.length === 2 ? parseIp(ends[1] ?? '') : first;
	if (!first || !last || first.family !== last.family || first.value > last.value) return undefined;
	return { family: first.family, first: first.value, last: last.value };
}

/** `a` for one address, otherwise both ends with `separator` between them. */
export function formatIpRange(range: IpRange, separator: '..' | '-' = '..'): string {
	const first = formatIp({ family: range.family, value: range.first });
	return range.first === range.last ? first : `${first}${separator}${formatIp({ family: range.family, value: range.last })}`;
}

/**
 * The form of Kube-OVN's status fields: `a-b,c`. After `limit` ranges it ends in `...`, because the list of a fragmented subnet grows with
 * its leases.
 */
export function formatRangeList(ranges: Iterable<IpRange>, limit = Number.POSITIVE_INFINITY): string {
	const parts: string[] = [];
	for (const range of ranges) {
		if (parts.length === limit) return `${parts.join(',')},...`;
		parts.push(formatIpRange(range, '-'));
	}
	return parts.join(',');
}

function compareRanges(a: IpRange, b: IpRange): number {
	if (a.family !== b.family) return a.family - b.family;
	if (a.first !== b.first) return a.first < b.first ? -1 : 1;
	return a.last < b.last ? -1 : a.last > b.last ? 1 : 0;
}

/** The same addresses as the fewest ranges, ascending, IPv4 before IPv6. The other functions here take only such lists. */
export function mergeRanges(ranges: Iterable<IpRange>): IpRange[] {
	const merged: IpRange[] = [];
	for (const range of [...ranges].sort(compareRanges)) {
		const before = merged.at(-1);
		if (before?.family === range.family && range.first <= before.last + 1n) {
			if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last };
		} else merged.push(range);
	}
	return merged;
}

/** What `ranges` hold and `removed` do not. Both merged; so is the result. */
export function subtractRanges(ranges: readonly IpRange[], removed: readonly IpRange[]): IpRange[] {
	const left: IpRange[] = [];
	let at = 0;
	for (const range of ranges) {
		let { first } = range;
		for (let hole = removed[at]; hole !== undefined && isBefore(hole, range); hole = removed[++at]);
		for (let next = at; first <= range.last; next++) {
			const hole = removed[next];
			if (hole?.family !== range.family || hole.first > range.last) break;
			if (hole.first > first) left.push({ family: range.family, first, last: hole.first - 1n });
			first = hole.last + 1n;
		}
		if (first <= range.last) left.push({ family: range.family, first, last: range.last });
	}
	return left;
}

/** What both hold. Both merged; so is the result. */
export function intersectRanges(a: readonly IpRange[], b: readonly IpRange[]): IpRange[] {
	return subtractRanges(a, subtractRanges(a, b));
}

/** Whether a merged list holds the address. */
export function rangesContain(ranges: readonly IpRange[], ip: Ip): boolean {
	let low = 0;
	let high = ranges.length - 1;
	while (low <= high) {
		const middle = (low + high) >>> 1;
		const range = ranges[middle];
		if (!range) return false;
		if (range.family < ip.family || (range.family === ip.family && range.last < ip.value)) low = middle + 1;
		else if (range.family > ip.family || range.first > ip.value) high = middle - 1;
		else return true;
	}
	return false;
}

/** The number of addresses in a merged list. */
export function countAddresses(ranges: readonly IpRange[]): bigint {
	return ranges.reduce((count, range) => count + range.last - range.first + 1n, 0n);
}

function isBefore(a: IpRange, b: IpRange): boolean {
	return a.family < b.family || (a.family === b.family && a.last < b.first);
}
