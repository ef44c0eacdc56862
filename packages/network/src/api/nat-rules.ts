import { cidrRange, type Family, type IpRange, mergeRanges, parseCidr, parseIp } from '@tapestry/base';
import { fnv1a } from '../compile/hash.ts';
import type { Problem } from './problem.ts';
import type { Subnet, SubnetSpec } from './subnet.ts';
import { splitList } from './subnet-addressing.ts';

/** One of `spec.natOutgoingPolicyRules`, of one family. The first that matches decides; where none does the source is translated. */
export interface NatRule {
	readonly family: Family;
	/** Merged; undefined for every sender of the subnet. */
	readonly sources: readonly IpRange[] | undefined;
	/** Merged; undefined for every destination. */
	readonly destinations: readonly IpRange[] | undefined;
	readonly action: 'nat' | 'forward';
}

type Entry = NonNullable<SubnetSpec['natOutgoingPolicyRules']>[number];

/** The rules that can be read, in order. One that cannot is left out, and `natRuleProblems` tells about it. */
export function readNatRules({ spec }: Subnet): readonly NatRule[] {
	return (spec.natOutgoingPolicyRules ?? []).flatMap((entry) => rulesOf(entry) ?? []);
}

export function* natRuleProblems({ metadata, spec }: Subnet): Generator<Problem> {
	const { natOutgoingPolicyRules: rules = [], natOutgoing } = spec;
	if (rules.length > 0 && !natOutgoing) {
		yield {
			reason: 'NatRulesWithoutNat',
			field: 'spec.natOutgoingPolicyRules',
			what: `the rules of subnet ${metadata.name} have no effect`,
			why: 'they are exceptions to natOutgoing, which is not set',
			fix: 'set spec.natOutgoing to true, or remove them',
		};
	}
	for (const [index, entry] of rules.entries()) {
		if (rulesOf(entry)) continue;
		yield {
			reason: 'NatRuleMalformed',
			field: `spec.natOutgoingPolicyRules[${index}]`,
			what: `rule ${index} is not in use`,
			why: 'its srcIPs and dstIPs are not lists of addresses and blocks of one family',
			fix: 'write them like 10.0.11.0/24,10.0.12.7',
		};
	}
}

/** The rule's name in the Subnet's status: the same as long as the rule is. */
export function natRuleId(entry: Entry): string {
	return fnv1a(JSON.stringify([entry.match?.srcIPs ?? '', entry.match?.dstIPs ?? '', entry.action]))
		.toString(16)
		.padStart(8, '0');
}

function rulesOf({ match = {}, action = 'nat' }: Entry): readonly NatRule[] | undefined {
	const sources = readList(match.srcIPs);
	const destinations = readList(match.dstIPs);
	if (sources === 'malformed' || destinations === 'malformed') return undefined;
	const families = ([4, 6] as const).filter((family) =>
		[sources, destinations].every((list) => !list || list.some((one) => one.family === family)),
	);
	if (families.length === 0) return undefined;
	const of = (list: readonly IpRange[] | undefined, family: Family) => list?.filter((range) => range.family === family);
	return families.map((family) => ({ family, sources: of(sources, family), destinations: of(destinations, family), action }));
}

function readList(text: string | undefined): readonly IpRange[] | undefined | 'malformed' {
	const parts = splitList(text);
	if (parts.length === 0) return undefined;
	const ranges = parts.map((part) => {
		const cidr = parseCidr(part);
		const ip = parseIp(part);
		return cidr ? cidrRange(cidr) : ip && { family: ip.family, first: ip.value, last: ip.value };
	});
	return ranges.every((range) => range !== undefined) ? mergeRanges(ranges) : 'malformed';
}
