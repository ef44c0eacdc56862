import { CodedError, messageOf } from '@tapestry/base';
import { parseMatch } from '../match/index.ts';
import type { NftMatch } from '../nft-expressions.ts';
import { conjunctionsOf } from './conjunctions.ts';
import type { Memory } from './memory.ts';
import { nftConditions } from './nft-match.ts';
import { accept, drop, goto, type NftRule } from './nft-rule.ts';
import type { PortAcl, PortRules } from './port-rules.ts';

/** A rule that the device does not enforce, or not as the switch would. */
export interface Unenforced {
	readonly by: string;
	readonly path: string;
	readonly why: string;
}

/** The port's rules that the device does not enforce as they are. */
export function unenforcedRules(rules: PortRules): readonly Unenforced[] {
	const found = rules.acls.flatMap((acl): readonly Unenforced[] => {
		const { by, path, action } = acl;
		const { why } = conditionsOf(acl, rules);
		if (why !== undefined) return [{ by, path, why }];
		return action === 'reject' ? [{ by, path, why: 'what it rejects is dropped without an answer' }] : [];
	});
	return [...new Map(found.map((one) => [`${one.by} ${one.path} ${one.why}`, one])).values()];
}

/** Where ACLs are asked: all of what a port receives, and of what it sends two lists one after the other, both of which have to let it pass. */
export type AclStage = 'received' | 'sent' | 'sent_late';

/** The chain of a stage. */
export const chainOf = (stage: AclStage): string => `${stage}_rules`;

/** A port's ACLs of one stage, in their order; what none of them matches passes. */
export function aclRules(rules: PortRules, stage: AclStage): readonly NftRule[] {
	const memory: Memory = stage === 'received' ? 'heard' : 'asked';
	const onward = goto(stage === 'sent' ? chainOf('sent_late') : `remember_${memory}`);
	const lines = rules.acls.filter(isOf(stage)).flatMap((acl) => {
		const passes = acl.action === 'allow-stateless' && stage !== 'sent' ? accept : onward;
		const verdict = acl.action.startsWith('allow') ? passes : drop;
		return conditionsOf(acl, rules).all.map((conditions) => [...conditions, verdict]);
	});
	return [...lines, [onward]];
}

function isOf(stage: AclStage): (acl: PortAcl) => boolean {
	if (stage === 'received') return ({ direction }) => direction === 'to-lport';
	return ({ direction, isLate }) => direction === 'from-lport' && isLate === (stage === 'sent_late');
}

/** Lists of conditions of which one has to hold, as far as nftables knows them. */
function conditionsOf(acl: PortAcl, rules: PortRules): { readonly all: readonly (readonly NftMatch[])[]; readonly why?: string } {
	const nothing = (why: string) => ({ all: [], why });
	try {
		const side = acl.direction === 'to-lport' ? 'outport' : 'inport';
		const terms = conjunctionsOf(parseMatch(acl.match), { side, ...rules });
		if ('why' in terms) return nothing(terms.why);
		const all: (readonly NftMatch[])[] = [];
		for (const term of terms.all) {
			const conditions = nftConditions(term);
			if ('why' in conditions) return nothing(conditions.why);
			if ('all' in conditions) all.push(conditions.all);
		}
		return { all };
	} catch (error) {
		if (error instanceof CodedError) return nothing(messageOf(error));
		throw error;
	}
}
