import type { DatabaseMeta } from '../schema/meta.ts';
import type { Change, Fragment, Obstacle, Owner } from './model.ts';
import { Planner } from './planner.ts';
import type { Tables } from './replica-index.ts';

export type Discrepancy = Change | (Obstacle & { readonly owner: Owner });

/** Everything in which a database differs from what the fragments want; empty when it is exactly that. Rows of others are not looked at. */
export function verify(schema: DatabaseMeta, fragments: ReadonlyMap<Owner, Fragment>, tables: Tables): readonly Discrepancy[] {
	const planner = new Planner(schema);
	for (const [owner, fragment] of fragments) planner.want(owner, fragment);
	planner.reset(tables);
	const { changes, obstacles } = planner.plan(planner.takeDirty());
	return [...changes, ...[...obstacles].flatMap(([owner, list]) => list.map((obstacle) => ({ ...obstacle, owner })))];
}
