import type { MutableJson } from '../objects.ts';
import { recordAt, recordsAt, stringsAt } from '../objects.ts';

/** meta/v1 LabelSelector: an empty one matches everything, one with an unknown operator nothing. */
export function matchesLabels(selector: MutableJson, labels: Readonly<Record<string, string>>): boolean {
	const equal = Object.entries(recordAt(selector, 'matchLabels') ?? {});
	return (
		equal.every(([key, value]) => labels[key] === value) &&
		recordsAt(selector, 'matchExpressions').every((requirement) => matchesRequirement(requirement, labels))
	);
}

function matchesRequirement(requirement: MutableJson, labels: Readonly<Record<string, string>>): boolean {
	const value = labels[String(requirement.key)];
	const listed = value !== undefined && stringsAt(requirement, 'values').includes(value);
	if (requirement.operator === 'In') return listed;
	if (requirement.operator === 'NotIn') return !listed;
	if (requirement.operator === 'Exists') return value !== undefined;
	return requirement.operator === 'DoesNotExist' && value === undefined;
}
