import type { LabelSelector } from '../api/common.ts';
import type { LeaseFacts } from './objects.ts';
import type { SelectorFacts } from './policies.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** Source: meta/v1 LabelSelector. An empty selector matches everything. */
export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
	const { matchLabels = {}, matchExpressions = [] } = selector;
	for (const key in matchLabels) if (labels[key] !== matchLabels[key]) return false;
	return matchExpressions.every((requirement) => isMet(requirement, labels[requirement.key]));
}

/** Whether a policy's selector picks the lease's owner, given the labels of its namespace. */
export function selects(selector: Pick<SelectorFacts, 'namespaces' | 'pods'>, lease: LeaseFacts, namespaceLabels: Labels): boolean {
	if (lease.ownerKind === 'Node') return false;
	const { namespaces, pods } = selector;
	const isHere = typeof namespaces === 'string' ? namespaces === lease.namespace : selectorMatches(namespaces, namespaceLabels);
	return isHere && selectorMatches(pods, lease.labels);
}

/** One text for all selectors that are written the same, whatever the order. */
export function selectorKey({ namespaces, pods }: SelectorText): string {
	return `${typeof namespaces === 'string' ? namespaces : `[${selectorText(namespaces)}]`}:${selectorText(pods)}`;
}

type SelectorText = Pick<SelectorFacts, 'namespaces' | 'pods'>;

function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
	const text = encoded;
	const labels = Object.entries(matchLabels).map(([key, value]) => `${text(key)}=${text(value)}`);
	const expressions = matchExpressions.map(
		({ key, operator, values = [] }) => `${text(key)} ${operator}(${values.map(text).sort().join()})`,
	);
	return [...labels, ...expressions].sort().join(',');
}

/** Without the characters that part keys. A text that is no Unicode is nobody's name, and must not throw. */
export function encoded(text: string): string {
	return encodeURIComponent(text.toWellFormed());
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
