import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseMatch, printMatch } from '../match/index.ts';
import { anyExpression, anyPacket } from '../match/testing/arbitrary.ts';
import { aclRules, unenforcedRules } from './acl-rules.ts';
import type { PortAcl, PortRules } from './port-rules.ts';
import { verdictOf } from './testing/nft-verdict.ts';

const acl = (match: string, action: string, more: Partial<PortAcl> = {}): PortAcl => ({
	...{ direction: 'to-lport', priority: 1000, match, action, isLate: false, by: 'NetworkPolicy/ns/p', path: 'spec.ingress[0]' },
	...more,
});
const rulesOf = (...acls: readonly PortAcl[]): PortRules => ({
	...{ port: 'a', security: [], groups: ['all'], acls },
	sets: { web: ['10.0.0.0/31', '10.0.0.1', 'fd00::1'], empty: [] },
});

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
				expect(verdictOf(aclRules(rules, 'received'), packet)).toBe(deciding?.action === 'drop' ? 'drop' : 'goto');
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
		expect(aclRules(rules, 'received')).toEqual([
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
		expect(aclRules(rules, 'sent').at(-1)).toEqual([{ goto: { target: 'sent_late_rules' } }]);
		expect(aclRules(rules, 'sent_late')).toEqual([[{ goto: { target: 'remember_asked' } }]]);
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
