import { type ApiError, badRequest } from '../errors.ts';
import { isRecord, type MutableJson } from '../objects.ts';
import { type Field, messageOf } from './messages.ts';

/**
 * A JSON value as Go would decode it into a type: nulls and unknown fields are left out, and the paths of the latter added to `unknown`.
 * The result shares no object with `value`. Throws BadRequest for a value of a wrong type.
 */
export function conform(message: string, value: unknown, path: string, unknown: string[]): MutableJson {
	if (!isRecord(value)) throw wrong(path, 'an object', value);
	const { byName, isObject } = messageOf(message);
	const out: MutableJson = {};
	for (const [key, item] of Object.entries(value)) {
		if (item === null || item === undefined) continue;
		const at = path ? `${path}.${key}` : key;
		const field = byName.get(key);
		if (field) out[key] = conformField(field, item, at, unknown);
		else if (isObject && (key === 'apiVersion' || key === 'kind')) out[key] = conformScalar('string', item, at);
		else unknown.push(at);
	}
	return out;
}

function conformField({ shape, type }: Field, value: unknown, path: string, unknown: string[]): unknown {
	if (shape === 'list') {
		if (!Array.isArray(value)) throw wrong(path, 'a list', value);
		return value.map((item, index) => conformValue(type, item, `${path}[${index}]`, unknown));
	}
	if (shape === 'map') {
		if (!isRecord(value)) throw wrong(path, 'a map', value);
		return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, conformValue(type, item, `${path}[${key}]`, unknown)]));
	}
	return conformValue(type, value, path, unknown);
}

function conformValue(type: string, value: unknown, path: string, unknown: string[]): unknown {
	return type.includes('.') ? conform(type, value, path, unknown) : conformScalar(type, value, path);
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const quantity = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const scalars: Readonly<Record<string, { readonly expected: string; readonly test: (value: unknown) => boolean }>> = {
	string: { expected: 'a string', test: (value) => typeof value === 'string' },
	bool: { expected: 'true or false', test: (value) => typeof value === 'boolean' },
	int: { expected: 'an integer', test: Number.isSafeInteger },
	bytes: { expected: 'base64', test: (value) => typeof value === 'string' && base64.test(value) },
	time: { expected: 'a time (RFC 3339)', test: (value) => typeof value === 'string' && rfc3339.test(value) },
	microtime: { expected: 'a time (RFC 3339)', test: (value) => typeof value === 'string' && rfc3339.test(value) },
	duration: { expected: 'a duration', test: (value) => typeof value === 'string' },
	quantity: { expected: 'a quantity', test: (value) => typeof value === 'number' || (typeof value === 'string' && quantity.test(value)) },
	intorstring: { expected: 'an integer or a string', test: (value) => typeof value === 'string' || Number.isSafeInteger(value) },
};

function conformScalar(type: string, value: unknown, path: string): unknown {
	if (type === 'raw') return structuredClone(value);
	const rule = scalars[type];
	if (rule && !rule.test(value)) throw wrong(path, rule.expected, value);
	return value;
}

function wrong(path: string, expected: string, value: unknown): ApiError {
	return badRequest(`the object cannot be decoded: ${path || 'it'} must be ${expected}, not ${JSON.stringify(value)?.slice(0, 60)}`);
}
