import { compareIps, formatIp, type Ip, macFromBytes, parseIp } from '@tapestry/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, type PacketFields, parseMatch, printMatch } from '../match/index.ts';
import { anyExpression, anyPacket } from '../match/testing/arbitrary.ts';
import { aclRules, unenforcedRules } from './acl-rules.ts';
import type { NftRule } from './nft-rule.ts';
import type { PortAcl, PortRules } from './port-rules.ts';

const acl = (match: string, action: string, more: Partial<PortAcl> = {}): PortAcl => ({
	...{ direction: 'to-lport', priority: 1000, match, action, by: 'NetworkPolicy/ns/p', path: 'spec.ingress[0]' },
	...more,
});
const rulesOf = (...acls: readonly PortAcl[]): PortRules => ({
	...{ port: 'a', security: [], groups: ['all'], acls },
	sets: { web: ['10.0.0.0/31', '10.0.0.1', 'fd00::1'], empty: [] },
});

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
function verdictOf(rules: readonly NftRule[], packet: PacketFields): string {
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

const around = {
	addressSet: (name: string) => rulesOf().sets[name],
	isInGroup: (_: string, group: string) => group === 'all',
	isResident: () => false,
};

describe('aclRules', () => {
	it('decide as the switch does, of all that can be said', () => {
		const action = fc.constantFrom('allow-related', 'drop');
		const list = fc.array(fc.tuple(anyExpression, action), { minLength: 1, maxLength: 4 });
		let compared = 0;
		fc.assert(
			fc.property(list, anyPacket, (entries, packet) => {
				const acls = entries.map(([expression, what]) => acl(printMatch(expression), what));
				const rules = rulesOf(...acls);
				if (unenforcedRules(rules).length > 0) return;
				compared++;
				const deciding = acls.find(({ match }) => matches(parseMatch(match), { ...packet, outport: 'a' }, around));
				expect(verdictOf(aclRules(rules, 'to-lport'), packet)).toBe(deciding?.action === 'drop' ? 'drop' : 'goto');
			}),
			{ numRuns: 2000 },
		);
		expect(compared).toBeGreaterThan(300);
	});

	it('are those of the direction, and what nobody forbids passes and is remembered', () => {
		const rules = rulesOf(
			acl('inport == @all && udp.dst == 53', 'drop', { direction: 'from-lport' }),
			acl('ip4.src == $web', 'allow-stateless'),
		);
		expect(aclRules(rules, 'to-lport')).toEqual([
			[
				{ match: { op: '==', left: { meta: { key: 'protocol' } }, right: 'ip' } },
				{
					match: {
						...{ op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } } },
						right: { set: [{ range: ['10.0.0.0', '10.0.0.1'] }] },
					},
				},
				{ accept: null },
			],
			[{ goto: { target: 'remember_heard' } }],
		]);
		expect(aclRules(rules, 'from-lport').at(-1)).toEqual([{ goto: { target: 'remember_asked' } }]);
	});
});

describe('unenforcedRules', () => {
	it.each([
		['ip.dscp == 3', 'drop', 'nftables cannot tell ip.dscp as it does'],
		['eth.mcast', 'drop', 'nftables cannot tell eth.dst as it does'],
		['ip4.src == 10.0.0.0/255.0.255.0', 'drop', 'nftables cannot tell ip4.src as it does'],
		['inport == "b"', 'allow-related', 'it names the port at the other end'],
		['ip && (', 'drop', '`ip && (` is not a match expression'],
		['ip4', 'reject', 'what it rejects is dropped without an answer'],
	])('has %s, %s', (match, action, why) => {
		const found = unenforcedRules(rulesOf(acl(match, action), acl(match, action)));
		expect(found).toEqual([{ by: 'NetworkPolicy/ns/p', path: 'spec.ingress[0]', why: expect.stringContaining(why) }]);
	});

	it('has nothing of what Tapestry compiles of NetworkPolicies', () => {
		const usual = [
			'outport == @all && ip',
			'outport == @all && ip4.src == $web && tcp && tcp.dst == 80',
			'outport == @all && (nd || nd_rs || nd_ra)',
		];
		expect(unenforcedRules(rulesOf(...usual.map((match) => acl(match, 'allow-related'))))).toEqual([]);
		expect(unenforcedRules(rulesOf(acl('outport == @all && is_chassis_resident("node-n1") && ip4', 'allow-related')))).toEqual([]);
	});
});
