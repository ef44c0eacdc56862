import type { LabelSelector } from '@tapestry/network';

type Labels = Readonly<Record<string, string>>;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** Source: meta/v1 LabelSelector. An empty selector matches everything. */
export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
	const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
	return equal && (selector.matchExpressions ?? []).every((requirement) => isMet(requirement, labels[requirement.key]));
}

function isMet({ operator, values = [] }: Requirement, value: string | undefined): boolean {
	switch (operator) {
		case 'In':
			return value !== undefined && values.includes(value);
		case 'NotIn':
			return value === undefined || !values.includes(value);
		case 'Exists':
			return value !== undefined;
		case 'DoesNotExist':
			return value === undefined;
	}
}
