import { sentence } from '@tapestry/base';
import type { Condition } from '@tapestry/kube';
import type { Problem } from '@tapestry/network';

/** Condition `Built`: False on an object of which something has no effect in this version. */
export function builtCondition(problem: Problem | undefined, generation: number | undefined): Omit<Condition, 'lastTransitionTime'> {
	const observed = generation === undefined ? {} : { observedGeneration: generation };
	if (!problem) return { type: 'Built', status: 'True', reason: 'Built', message: 'all that the object asks for is built', ...observed };
	return { type: 'Built', status: 'False', reason: problem.reason, message: sentence(problem), ...observed };
}
