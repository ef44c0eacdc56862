import { type FieldError, invalid } from './field-error.ts';
import type { JsonObject } from './json.ts';
import type { Compile, Rule } from './rule.ts';
import { subschema, subschemas } from './schema-node.ts';

export function combinatorRules(schema: JsonObject, compile: Compile): readonly Rule<unknown>[] {
	const rules: Rule<unknown>[] = subschemas(schema, 'allOf').map(compile);
	const anyOf = subschemas(schema, 'anyOf').map(compile);
	if (anyOf.length > 0) {
		rules.push((value, path, report) => {
			const results = outcomes(anyOf, value, path);
			if (!results.some(isClean)) reportNearest(results, path, report, `"${path}" must validate at least one schema (anyOf)`);
		});
	}
	const oneOf = subschemas(schema, 'oneOf').map(compile);
	if (oneOf.length > 0) {
		rules.push((value, path, report) => {
			const results = outcomes(oneOf, value, path);
			const matches = results.filter(isClean).length;
			const demand = `"${path}" must validate one and only one schema (oneOf).`;
			if (matches === 0) reportNearest(results, path, report, `${demand} Found none valid`);
			else if (matches > 1) report(invalid(path, '', `${demand} Found ${matches} valid alternatives`));
		});
	}
	const not = subschema(schema, 'not');
	if (not) {
		const unwanted = [compile(not)];
		rules.push((value, path, report) => {
			if (outcomes(unwanted, value, path).some(isClean)) report(invalid(path, '', `"${path}" must not validate the schema (not)`));
		});
	}
	return rules;
}

const isClean = (errors: readonly FieldError[]): boolean => errors.length === 0;

function outcomes(rules: readonly Rule<unknown>[], value: unknown, path: string): readonly (readonly FieldError[])[] {
	return rules.map((rule) => {
		const errors: FieldError[] = [];
		rule(value, path, (error) => errors.push(error));
		return errors;
	});
}

/** The alternative with the fewest errors is most likely the one that was meant. */
function reportNearest(
	results: readonly (readonly FieldError[])[],
	path: string,
	report: (error: FieldError) => void,
	detail: string,
): void {
	report(invalid(path, '', detail));
	const nearest = results.reduce((best, errors) => (errors.length < best.length ? errors : best));
	for (const error of nearest) report(error);
}
