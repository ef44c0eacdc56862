export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** `metav1.Condition`, which the conditions of pods and nodes share. */
export interface Condition {
	readonly type: string;
	readonly status: ConditionStatus;
	readonly reason?: string;
	readonly message?: string;
	/** RFC 3339; when `status` last changed. */
	readonly lastTransitionTime?: string;
	readonly observedGeneration?: number;
}

/**
 * Conditions with `condition` put in by its type. `lastTransitionTime` moves only when the status does. Returns the same array when nothing
 * changes, so that a caller can skip the write. `now` is milliseconds since the epoch.
 */
export function setCondition(
	conditions: readonly Condition[] | undefined,
	condition: Omit<Condition, 'lastTransitionTime'>,
	now: number,
): readonly Condition[] {
	const current = conditions ?? [];
	const before = current.find(({ type }) => type === condition.type);
	const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : undefined;
	const after: Condition = { ...condition, lastTransitionTime: lastTransitionTime ?? timestamp(now) };
	if (before === undefined) return [...current, after];
	if (sameFields(before, after)) return current;
	return current.map((entry) => (entry === before ? { ...entry, ...after } : entry));
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
	return conditions?.find((condition) => condition.type === type);
}

/** RFC 3339 with whole seconds, as `metav1.Time` is written. `now` is milliseconds since the epoch. */
export function timestamp(now: number): string {
	return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with six decimals, as `metav1.MicroTime` is written. */
export function microTimestamp(now: number): string {
	return `${new Date(now).toISOString().slice(0, 23)}000Z`;
}

function sameFields(before: Condition, after: Condition): boolean {
	return (Object.keys(after) as (keyof Condition)[]).every((field) => before[field] === after[field]);
}
