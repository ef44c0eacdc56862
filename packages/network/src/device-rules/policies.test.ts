import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyPolicies, packets, worldOf } from '../compile/policy/testing/random-policies.ts';
import { reference } from '../compile/policy/testing/reference.ts';
import { follow } from '../compile/testing/follow.ts';
import { aclRules, unenforcedRules } from './acl-rules.ts';
import { type PortRules, readPortRules } from './port-rules.ts';
import { verdictOf } from './testing/nft-verdict.ts';

it('keeps policies of all kinds past the switch as they are specified', () => {
	fc.assert(
		fc.property(anyPolicies, (all) => {
			const { database } = follow(worldOf(all));
			const rules = new Map(['p0', 'p1', 'p2'].map((name) => [name, readPortRules(database.tables, name) as PortRules]));
			const reasons = [...rules.values()].flatMap((one) => unenforcedRules(one).map(({ why }) => why));
			// All that can be said in these kinds is said, `reject` as a drop.
			expect(reasons.filter((why) => !why.startsWith('what it rejects'))).toEqual([]);
			const compiled = new Map(
				[...rules].map(
					([name, own]) =>
						[name, { sent: aclRules(own, 'sent'), late: aclRules(own, 'sent_late'), received: aclRules(own, 'received') }] as const,
				),
			);
			for (const { packet, fields, from = '', to = '' } of packets()) {
				const passes = [compiled.get(from)?.sent, compiled.get(from)?.late, compiled.get(to)?.received].every(
					(list) => !list || verdictOf(list, fields) !== 'drop',
				);
				if (passes !== reference(all, packet)) expect.fail(`${JSON.stringify(packet)} ${passes ? 'passes' : 'is dropped'}`);
			}
		}),
		{ numRuns: 40 },
	);
}, 60_000);
