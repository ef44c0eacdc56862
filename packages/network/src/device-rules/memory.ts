import { matching, meta, type NftMatch, payload } from '../nft-expressions.ts';
import { accept, inTable, isFamily, isProtocol, type NftRule } from './nft-rule.ts';

/** How long replies pass after the last packet that asked, in seconds. An open connection of TCP has the time of its usual keepalive. */
const patience = { opening: 120, open: 7200, closing: 60, udp: 180, other: 30 } as const;
/** Connections that are remembered, of each kind. */
const setSize = 262_144;

/** Both sides of what is remembered: what the guest asked, and what it was asked. */
const memories = ['asked', 'heard'] as const;
export type Memory = (typeof memories)[number];
const families = [
	{ family: 'ip', number: 4, address: 'ipv4_addr', icmp: 'icmp', errors: [3, 11, 12], request: 8, reply: 0 },
	{ family: 'ip6', number: 6, address: 'ipv6_addr', icmp: 'icmpv6', errors: [1, 2, 3, 4], request: 128, reply: 129 },
] as const;
type FamilyNames = (typeof families)[number];
const withPorts = { set: ['tcp', 'udp', 'sctp'] };

/** The sets that remember connections. */
export function memorySets(): readonly object[] {
	return memories.flatMap((memory) => families.flatMap((family) => setsOf(memory, family)));
}

function setsOf(memory: Memory, { number, address }: FamilyNames): readonly object[] {
	const of = { ...inTable, flags: ['timeout'], size: setSize };
	return [
		{ add: { set: { ...of, name: `${memory}${number}`, type: [address, address, 'inet_proto', 'inet_service', 'inet_service'] } } },
		// Of TCP, those that an end has closed: what follows does not make them open again.
		{ add: { set: { ...of, name: `${memory}${number}_closing`, type: [address, address, 'inet_proto', 'inet_service', 'inet_service'] } } },
		{ add: { set: { ...of, name: `${memory}${number}_other`, type: [address, address, 'inet_proto'] } } },
	];
}

/** The tuple of a packet, or that of the packet that it answers. */
function tuple(family: string, isAnswer: boolean, hasPorts: boolean): object {
	const [source, target] = isAnswer ? (['daddr', 'saddr'] as const) : (['saddr', 'daddr'] as const);
	const [from, to] = isAnswer ? (['dport', 'sport'] as const) : (['sport', 'dport'] as const);
	const ports = hasPorts ? [payload('th', from), payload('th', to)] : [];
	return { concat: [payload(family, source), payload(family, target), meta('l4proto'), ...ports] };
}

const update = (set: string, val: object, timeout: number): object => ({
	set: { op: 'update', set: `@${set}`, elem: { elem: { val, timeout } } },
});

/** RFC 9293: FIN 1, SYN 2, RST 4, ACK 16. */
const flags = (of: number): object => ({ '&': [payload('tcp', 'flags'), of] });
const isFirst = matching(flags(2 + 16), 2);
const isLast = matching(flags(1 + 4), 0, '!=');

/** What a rule lets pass: it is remembered. */
export function remember(memory: Memory): readonly NftRule[] {
	return [
		...families.flatMap(({ family, number, icmp, request }) => {
			const asks = tuple(family, false, true);
			const [set, closing] = [`${memory}${number}`, `${memory}${number}_closing`];
			const tcp = [isFamily(family), isProtocol('tcp')];
			const other = update(`${set}_other`, tuple(family, false, false), patience.other);
			return [
				[...tcp, isFirst, update(set, asks, patience.opening), accept],
				[...tcp, isLast, update(closing, asks, patience.closing), update(set, asks, patience.closing), accept],
				[...tcp, matching(asks, `@${closing}`), accept],
				[...tcp, update(set, asks, patience.open), accept],
				[isFamily(family), isProtocol({ set: ['udp', 'sctp'] }), update(set, asks, patience.udp), accept],
				[isFamily(family), matching(payload(icmp, 'type'), request), other, accept],
				[isFamily(family), isProtocol({ set: ['tcp', 'udp', 'sctp', icmpOf(icmp)] }, '!='), other, accept],
			];
		}),
		[accept],
	];
}

/** What answers something that is remembered, and errors about it, which name it too deep inside to be looked for. */
export function answerRules(memory: Memory): readonly NftRule[] {
	return families.flatMap(({ family, number, icmp, errors, reply }) => {
		const isAnswer = (hasPorts: boolean): NftMatch =>
			matching(tuple(family, true, hasPorts), `@${memory}${number}${hasPorts ? '' : '_other'}`);
		const asked = tuple(family, true, true);
		const [set, closing] = [`${memory}${number}`, `${memory}${number}_closing`];
		return [
			[
				...[isFamily(family), isProtocol('tcp'), isLast, isAnswer(true)],
				...[update(closing, asked, patience.closing), update(set, asked, patience.closing), accept],
			],
			[isFamily(family), isProtocol(withPorts), isAnswer(true), accept],
			[isFamily(family), matching(payload(icmp, 'type'), reply), isAnswer(false), accept],
			[isFamily(family), isProtocol({ set: ['tcp', 'udp', 'sctp', icmpOf(icmp)] }, '!='), isAnswer(false), accept],
			[isFamily(family), matching(payload(icmp, 'type'), { set: errors }), accept],
		];
	});
}

const icmpOf = (icmp: 'icmp' | 'icmpv6'): string => (icmp === 'icmp' ? 'icmp' : 'ipv6-icmp');
