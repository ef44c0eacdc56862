import type { JsonObject } from '../schema/index.ts';
import { listAt, mapAt, orNone, textAt } from './read.ts';

/** `a=1,b=2`, or `<none>`. */
export function formatLabels(labels: JsonObject): string {
	return orNone(terms(labels).join(','));
}

const terms = (labels: JsonObject): string[] =>
	Object.entries(labels)
		.map(([key, value]) => `${key}=${value}`)
		.sort();

/** A LabelSelector as a user would write it for `-l`. */
export function formatSelector(selector: unknown): string {
	const expressions = listAt(selector, 'matchExpressions').map((expression) => {
		const key = textAt(expression, 'key');
		const values = listAt(expression, 'values').join(',');
		switch (textAt(expression, 'operator')) {
			case 'In':
				return `${key} in (${values})`;
			case 'NotIn':
				return `${key} notin (${values})`;
			case 'DoesNotExist':
				return `!${key}`;
			default:
				return key;
		}
	});
	return orNone([...terms(mapAt(selector, 'matchLabels')), ...expressions].join(','));
}
