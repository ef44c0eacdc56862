import type { Pod } from './builtin.ts';
import { findCondition } from './conditions.ts';

/** Nothing in it will run again. */
export function hasEnded({ status }: Pod): boolean {
	return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

export function isReady({ status }: Pod): boolean {
	return findCondition(status?.conditions, 'Ready')?.status === 'True';
}
