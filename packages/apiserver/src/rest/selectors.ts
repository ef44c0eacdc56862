import { badRequest } from '../errors.ts';
import { type ApiObject, valueAt } from '../objects.ts';
import type { Kind } from '../registry/kind.ts';

/** True for the objects that a list or watch is about. */
export type Predicate = (object: ApiObject) => boolean;

/** Kubernetes documentation, "Labels and Selectors": `a=b,c!=d,e in (f,g),h notin (i),j,!k`, `n>1`. Throws BadRequest. */
export function parseLabelSelector(text: string): Predicate {
	const requirements = splitRequirements(text).map(parseRequirement);
	return (object) => requirements.every((matches) => matches(object.metadata.labels ?? {}));
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

const setBased = /^([^\s!=<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const compared = /^([^\s!=<>(),]+)\s*(==|=|!=|<|>)\s*([^\s!=<>(),]*)$/;
const exists = /^(!?)\s*([^\s!=<>(),]+)$/;

function parseRequirement(text: string): LabelTest {
	const set = setBased.exec(text);
	if (set) {
		const [, key = '', operator, list = ''] = set;
		const values = new Set(list.split(',').map((value) => value.trim()));
		return (labels) => {
			const value = labels[key];
			return (value !== undefined && values.has(value)) === (operator === 'in');
		};
	}
	const comparison = compared.exec(text);
	if (comparison) {
		const [, key = '', operator, wanted = ''] = comparison;
		if (operator === '!=') return (labels) => labels[key] !== wanted;
		if (operator === '<') return (labels) => labels[key] !== undefined && Number(labels[key]) < Number(wanted);
		if (operator === '>') return (labels) => labels[key] !== undefined && Number(labels[key]) > Number(wanted);
		return (labels) => labels[key] === wanted;
	}
	const existence = exists.exec(text);
	if (!existence) throw badRequest(`unable to parse requirement: ${text}`);
	const [, not, key = ''] = existence;
	return (labels) => Object.hasOwn(labels, key) === (not === '');
}

/** At the commas outside parentheses. */
function splitRequirements(text: string): string[] {
	const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
	return parts.length === 1 && parts[0] === '' ? [] : parts;
}

/** `metadata.name=x,spec.nodeName!=y`. Throws BadRequest for a field that the kind does not offer. */
export function parseFieldSelector(text: string, kind: Kind): Predicate {
	const tests = splitFields(text).map((part) => {
		const match = /^([^=!]+?)(==|=|!=)(.*)$/.exec(part);
		if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
		const [, field = '', operator, wanted = ''] = match;
		const path = fieldPath(field, kind);
		return (object: ApiObject) => (fieldText(valueAt(object, path)) === wanted) === (operator !== '!=');
	});
	return (object) => tests.every((matches) => matches(object));
}

/** Values may hold escaped commas, equals signs and backslashes (k8s.io/apimachinery/pkg/fields). */
function splitFields(text: string): string[] {
	const parts = text.match(/(?:\\.|[^,\\])+/g) ?? [];
	return parts.map((part) => part.replace(/\\([\\,=])/g, '$1'));
}

/** Older and newer names of one field. */
const aliases: Readonly<Record<string, string>> = {
	source: 'source.component',
	reportingController: 'reportingComponent',
};

function fieldPath(field: string, kind: Kind): string {
	const path = field.startsWith('regarding.') ? `involvedObject.${field.slice('regarding.'.length)}` : (aliases[field] ?? field);
	const known = path === 'metadata.name' || path === 'metadata.namespace' || kind.strategy.fields?.includes(path);
	if (!known) throw badRequest(`field label not supported: ${field}`);
	return path;
}

function fieldText(value: unknown): string {
	return value === undefined || value === null ? '' : String(value);
}
