import type { DesiredRow, Fragment, Owner } from '../../plan/model.ts';
import type { PolicyFacts, RuleFacts } from '../../world/policies.ts';
import type { PolicyKind } from '../../world/policy-set.ts';
import type { Read } from '../../world/world.ts';
import { aclBand } from '../priorities.ts';
import { aclRow } from './acl-row.ts';
import { groupRow, selectorGroup } from './groups.ts';
import { ofGroup, ruleMatch } from './match.ts';

/** The rows of a policy of Kubernetes. For ports in a combination they stand below its list (combined.ts) and are never reached. */
const compilePolicy =
	(kind: PolicyKind) =>
	(key: string, read: Read): Fragment => {
		const policy = read.get(kind, key);
		if (!policy) return { rows: [] };
		const group = selectorGroup(policy.subject);
		const rows: DesiredRow[] = [];
		const needs: Owner[] = [];
		policy.rules.forEach((rule, index) => {
			const match = ruleMatch(rule, read);
			// Subjects of a policy that says `pass` have a list of their own.
			if (match.text === undefined || rule.action === 'pass') return;
			rows.push(ruleRow(kind, policy, rule, index, match.text));
			needs.push(...match.needs);
		});
		for (const direction of policy.isolates) {
			rows.push(
				aclRow({
					key: `${policy.owner}/${direction}`,
					direction,
					priority: aclBand.deny,
					match: ofGroup(group, direction, 'ip'),
					action: 'drop',
					origin: { by: policy.owner, path: isolationPath },
					group: groupRow(group),
				}),
			);
		}
		return { rows, needs };
	};

/** What to name for traffic that is denied because a policy is about the port and no rule allows it. */
export const isolationPath = 'spec.podSelector';

function ruleRow(kind: PolicyKind, policy: PolicyFacts, rule: RuleFacts, index: number, match: string): DesiredRow {
	const group = selectorGroup(policy.subject);
	return aclRow({
		key: `${policy.owner}/${rule.path}`,
		direction: rule.direction,
		priority: priorityOf(kind, policy, index),
		match: ofGroup(group, rule.direction, match),
		action: rule.action === 'deny' ? 'drop' : 'allow',
		origin: { by: policy.owner, path: rule.path },
		group: groupRow(group),
	});
}

function priorityOf(kind: PolicyKind, { priority }: PolicyFacts, index: number): number {
	if (kind === 'NetworkPolicy') return aclBand.allow;
	if (kind === 'BaselineAdminNetworkPolicy') return aclBand.baseline.top - index;
	return aclBand.admin.top - priority * aclBand.admin.rules - index;
}

export const compileNetworkPolicy = compilePolicy('NetworkPolicy');
export const compileAdminPolicy = compilePolicy('AdminNetworkPolicy');
export const compileBaselinePolicy = compilePolicy('BaselineAdminNetworkPolicy');
