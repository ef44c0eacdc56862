import { combinatorRules } from './combinators.ts';
import { arrayRules, objectRules } from './containers.ts';
import { type FieldError, notSupported, typeInvalid } from './field-error.ts';
import { canonicalJson, isJsonObject, type JsonObject } from './json.ts';
import type { Compile, Rule } from './rule.ts';
import { numberRules, stringRules } from './scalars.ts';
import { flag, text } from './schema-node.ts';

/**
 * The texts are those of kube-openapi's validator as apiextensions-apiserver reports them.
 * A value of the wrong type yields one error: the other rules would only repeat it.
 */
export const compileValidator: Compile = (schema) => {
	const expected = flag(schema, 'x-kubernetes-int-or-string') ? 'integer,string' : text(schema, 'type');
	const nullable = flag(schema, 'nullable');
	const common = enumRules(schema);
	const any = [...common, ...combinatorRules(schema, compileValidator)];
	const onString = stringRules(schema);
	const onNumber = numberRules(schema);
	const onArray = arrayRules(schema, compileValidator);
	const onObject = objectRules(schema, compileValidator);

	return (value, path, report) => {
		if (value === null && nullable) return run(common, value, path, report);
		const actual = typeOf(value);
		if (expected !== undefined && !accepts(expected, actual)) return report(typeInvalid(path, actual, expected));
		if (typeof value === 'string') run(onString, value, path, report);
		else if (typeof value === 'number') run(onNumber, value, path, report);
		else if (Array.isArray(value)) run(onArray, value, path, report);
		else if (isJsonObject(value)) run(onObject, value, path, report);
		run(any, value, path, report);
	};
};

function run<T>(rules: readonly Rule<T>[], value: T, path: string, report: (error: FieldError) => void): void {
	for (const rule of rules) rule(value, path, report);
}

function enumRules(schema: JsonObject): readonly Rule<unknown>[] {
	const values: unknown = schema.enum;
	if (!Array.isArray(values)) return [];
	const allowed = new Set(values.map(canonicalJson));
	return [
		(value, path, report) => {
			if (!allowed.has(canonicalJson(value))) report(notSupported(path, value, values));
		},
	];
}

function typeOf(value: unknown): string {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'array';
	if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
	return typeof value;
}

function accepts(expected: string, actual: string): boolean {
	if (expected === 'integer,string') return actual === 'integer' || actual === 'string';
	return expected === actual || (expected === 'number' && actual === 'integer');
}
