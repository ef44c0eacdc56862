import { compareIps, formatIp, type Ip, macFromBytes, parseIp } from '@tapestry/base';
import type { PacketFields } from '../../match/index.ts';
import type { NftRule } from '../nft-rule.ts';

/** A packet as nftables sees it: the same fields under its names. */
function nftField(left: Readonly<Record<string, never>>, packet: PacketFields): string | number | undefined {
	const number = (name: string) => (packet[name] === undefined ? undefined : Number(packet[name]));
	const ip = (family: 4 | 6, name: string) => {
		const value = packet[name];
		return typeof value === 'bigint' ? formatIp({ family, value }) : undefined;
	};
	const { protocol = '', field = '' } = (left.payload ?? {}) as { protocol?: string; field?: string };
	const { key } = (left.meta ?? {}) as { key?: string };
	if (key === 'protocol') return packet['eth.type'] === 0x800n ? 'ip' : 'ip6';
	if (key === 'l4proto') return number('ip.proto');
	const side = field.endsWith('addr') ? ({ saddr: 'src', daddr: 'dst' } as const)[field as 'saddr'] : '';
	if (protocol === 'ip' || protocol === 'ip6') {
		return field === 'ttl' || field === 'hoplimit'
			? number('ip.ttl')
			: ip(protocol === 'ip' ? 4 : 6, `${protocol === 'ip' ? 'ip4' : 'ip6'}.${side}`);
	}
	if (protocol === 'ether') {
		const value = packet[`eth.${side}`] as bigint;
		return macFromBytes(Uint8Array.from({ length: 6 }, (_, at) => Number((value >> BigInt(40 - 8 * at)) & 0xffn)));
	}
	if (protocol === 'icmp' || protocol === 'icmpv6') return number(`${protocol === 'icmp' ? 'icmp4' : 'icmp6'}.${field}`) ?? 0;
	return number(`${protocol}.${field === 'sport' ? 'src' : 'dst'}`);
}

function isOne(value: string | number, right: unknown): boolean {
	if (typeof right !== 'object' || right === null) return value === right;
	const { set, range } = right as { set?: readonly unknown[]; range?: readonly [string, string] };
	if (set) return set.some((one) => isOne(value, one));
	const [from, to] = (range ?? []).map((text) => parseIp(text) as Ip);
	const own = parseIp(String(value)) as Ip;
	return compareIps(from as Ip, own) <= 0 && compareIps(own, to as Ip) <= 0;
}

/** Which of the rules decides, as nft would find it. */
export function verdictOf(rules: readonly NftRule[], packet: PacketFields): string {
	const meets = (condition: object): boolean => {
		const { match } = condition as { match?: { op: string; left: never; right: never } };
		if (!match) return true;
		const value = nftField(match.left, packet);
		if (value === undefined) return false;
		if (match.op === '==' || match.op === '!=') return isOne(value, match.right) === (match.op === '==');
		const [a, b] = [Number(value), Number(match.right)];
		return { '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[match.op] ?? false;
	};
	const found = rules.find((rule) => rule.every(meets));
	return Object.keys(found?.at(-1) ?? {})[0] ?? '';
}
