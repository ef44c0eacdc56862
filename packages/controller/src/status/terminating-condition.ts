import { sentence } from '@tapestry/base';
import type { Condition } from '@tapestry/kube';

/** How many holders a message names. */
const named = 5;

/** Condition `Terminating`: what a Subnet or Vpc that a user deleted waits for. */
export function terminatingCondition(kind: string, name: string, holders: readonly string[]): Omit<Condition, 'lastTransitionTime'> {
	const others = holders.length > named ? ` and ${holders.length - named} more` : '';
	const list = `${holders.slice(0, named).join(', ')}${others}`;
	const text =
		kind === 'Subnet'
			? { why: `its addresses are in use by ${list}`, fix: 'delete the pods, machines or IP objects that have them' }
			: { why: `its subnets ${list} are in use`, fix: 'delete them too' };
	return {
		type: 'Terminating',
		status: 'True',
		reason: 'InUse',
		message: sentence({ what: `${kind} ${name} is not deleted yet`, ...text }),
	};
}
