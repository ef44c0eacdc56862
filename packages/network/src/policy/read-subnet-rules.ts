import { formatCidr, isCoded, parseCidr, parseIp, sentence } from '@tapestry/base';
import type { Problem } from '../api/problem.ts';
import type { Subnet } from '../api/subnet.ts';
import { parseMatch } from '../match/parse.ts';
import type { SubnetAclFacts } from '../world/policies.ts';

export interface SubnetRules {
	readonly acls: readonly SubnetAclFacts[];
	readonly allowsEastWest: boolean;
	readonly privateTo: readonly string[] | undefined;
	/** None of these stops the subnet. */
	readonly problems: readonly Problem[];
}

/** What a subnet rules for its ports. An expression that OVN could not parse is left out and told about, so that it does no harm to others. */
export function subnetRules({ spec }: Subnet): SubnetRules {
	const problems: Problem[] = [];
	const acls = (spec.acls ?? []).map((acl, index) => ({ acl, path: `spec.acls[${index}]` }));
	const read = acls
		.sort((a, b) => rank(b.acl) - rank(a.acl))
		.flatMap(({ acl: { direction, match = '', action }, path }): SubnetAclFacts[] => {
			const why = direction && action ? matchProblem(match) : 'it needs a direction and an action';
			if (why !== undefined || !direction || !action) {
				problems.push(ruleProblem(path, why ?? ''));
				return [];
			}
			const way = direction === 'from-lport' ? 'egress' : 'ingress';
			return [{ path, direction: way, match, action: action === 'drop' || action === 'reject' ? action : 'allow' }];
		});
	return { acls: read, allowsEastWest: spec.allowEWTraffic === true, privateTo: privateTo(spec, problems), problems };
}

/** Higher goes first; of equal ones, which OVN would choose from as it likes, the drop. */
function rank({ priority = 0, action }: NonNullable<Subnet['spec']['acls']>[number]): number {
	return priority * 2 + (action === 'drop' || action === 'reject' ? 1 : 0);
}

function ruleProblem(path: string, why: string): Problem {
	return {
		reason: 'AclMalformed',
		field: path,
		what: 'the rule has no effect',
		why,
		fix: 'write match as in ovn-sb(5), like ip4.src == 10.0.0.0/8 && tcp.dst == 80',
	};
}

/** Why OVN could not use the expression. */
function matchProblem(match: string): string | undefined {
	// A set or group that does not exist makes ovn-controller leave the row out, and nobody would hear of it.
	if (/[$@]/.test(match)) return 'it names an address set or port group, whose existence nothing here can see to';
	try {
		parseMatch(match);
		return undefined;
	} catch (error) {
		if (isCoded(error, 'MATCH_SYNTAX')) return sentence(error.text);
		throw error;
	}
}

function privateTo(spec: Subnet['spec'], problems: Problem[]): readonly string[] | undefined {
	if (!spec.private) return undefined;
	return (spec.allowSubnets ?? []).flatMap((text, index) => {
		const cidr = parseCidr(text);
		if (cidr) return [formatCidr(cidr)];
		if (parseIp(text)) return [text];
		const field = `spec.allowSubnets[${index}]`;
		const why = `${JSON.stringify(text)} is not a block of addresses`;
		problems.push({ reason: 'BlockMalformed', field, what: `${text} is not let in`, why, fix: 'write it like 10.17.0.0/16' });
		return [];
	});
}
