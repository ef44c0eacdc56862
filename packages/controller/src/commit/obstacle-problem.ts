import type { Obstacle, Problem } from '@tapestry/network';

/** What only a person can clear away. Rows that wait for others of ours need nobody. */
export function obstacleProblem(obstacles: readonly Obstacle[]): Problem | undefined {
	const taken = obstacles.find((obstacle) => obstacle.kind === 'taken');
	if (taken?.kind !== 'taken' || typeof taken.by !== 'string') return undefined;
	return {
		reason: 'RowNameTaken',
		what: `a row of ${taken.row.table} cannot be written to the Northbound database`,
		why: `row ${taken.by}, which somebody else made, has the same ${taken.columns.join(' and ')}`,
		fix: 'delete or rename that row',
	};
}
