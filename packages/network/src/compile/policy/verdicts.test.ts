import fc from 'fast-check';
import { expect, it } from 'vitest';
import { externalIds } from '../../api/names.ts';
import { compileAll } from '../compiler.ts';
import { AclVerdict } from './testing/acl-verdict.ts';
import { anyPolicies, packets, worldOf } from './testing/random-policies.ts';
import { reference } from './testing/reference.ts';

it('compiles to rows that decide as the kinds are specified', () => {
	fc.assert(
		fc.property(anyPolicies, (all) => {
			const acls = new AclVerdict(compileAll(worldOf(all)).values());
			for (const { packet, fields, from, to } of packets()) {
				const dropper = acls.dropper({ from, to, fields, residents: [] });
				if ((dropper === undefined) === reference(all, packet)) continue;
				const by = (dropper?.columns.external_ids as Readonly<Record<string, string>> | undefined)?.[externalIds.by];
				expect.fail(`${JSON.stringify(packet)} ${dropper ? `is dropped by ${by} (${dropper.columns.match})` : 'passes'}`);
			}
		}),
		{ numRuns: 60 },
	);
}, 60_000);
