import type { FieldError } from '../schema/index.ts';
import type { Strategy } from './kind.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

// The messages are those of k8s.io/apimachinery/pkg/util/validation: users search for them.
const labelText =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const label1035Text =
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const subdomainText =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const qualifiedText =
	"name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueText =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

export function invalidValue(field: string, value: unknown, why: string): FieldError {
	return { field, type: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

export function required(field: string, why?: string): FieldError {
	return { field, type: 'FieldValueRequired', message: why ? `Required value: ${why}` : 'Required value' };
}

export function notAllowed(field: string, why: string): FieldError {
	return { field, type: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}

export function unsupported(field: string, value: unknown, supported: readonly string[]): FieldError {
	const values = supported.map((text) => JSON.stringify(text)).join(', ');
	return { field, type: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}` };
}

export function duplicate(field: string, value: unknown): FieldError {
	return { field, type: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(value)}` };
}

function limited(name: string, longest: number, pattern: RegExp, text: string): string[] {
	const problems = name.length > longest ? [`must be no more than ${longest} characters`] : [];
	return pattern.test(name) ? problems : [...problems, text];
}

/** RFC 1123 label: what is wrong with it, empty when nothing is. */
export function labelProblems(name: string): string[] {
	return limited(name, 63, label, labelText);
}

/** RFC 1123 subdomain. */
export function subdomainProblems(name: string): string[] {
	return limited(name, 253, subdomain, subdomainText);
}

export function nameProblems(rule: Strategy['names'], name: string): string[] {
	if (rule === 'label') return labelProblems(name);
	if (rule === 'label1035') return limited(name, 63, label1035, label1035Text);
	if (rule === 'path') return /^\.{1,2}$|[/%]/.test(name) ? ["must not be '.' or '..' or contain '/' or '%'"] : [];
	return subdomainProblems(name);
}

/** Keys of labels and annotations, finalizers: `[prefix/]name`. */
export function qualifiedNameProblems(key: string): string[] {
	const parts = key.split('/');
	const name = parts.at(-1) ?? '';
	if (parts.length > 2)
		return [
			`a qualified name ${qualifiedText.replace('name part ', '')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
		];
	const prefix = parts.length === 2 ? subdomainProblems(parts[0] ?? '').map((problem) => `prefix part ${problem}`) : [];
	return [...prefix, ...limited(name, 63, qualified, qualifiedText)];
}

export function labelValueProblems(value: string): string[] {
	return value === '' ? [] : limited(value, 63, qualified, labelValueText);
}
