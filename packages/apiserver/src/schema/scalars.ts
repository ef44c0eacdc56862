import { invalid, tooLong } from './field-error.ts';
import { numberFormat, stringFormat } from './format.ts';
import type { JsonObject } from './json.ts';
import { compileGoPattern } from './regex.ts';
import type { Rule } from './rule.ts';
import { count, flag, text } from './schema-node.ts';

/** Rules on strings. Lengths are in code points, as Go's utf8.RuneCountInString counts. */
export function stringRules(schema: JsonObject): readonly Rule<string>[] {
	const rules: Rule<string>[] = [];
	const least = count(schema, 'minLength');
	if (least !== undefined) {
		rules.push((value, path, report) => {
			if (lengthOf(value) < least) report(invalid(path, value, `${path} in body should be at least ${least} chars long`));
		});
	}
	const most = count(schema, 'maxLength');
	if (most !== undefined) {
		rules.push((value, path, report) => {
			if (lengthOf(value) > most) report(tooLong(path, most));
		});
	}
	const source = text(schema, 'pattern');
	if (source !== undefined) {
		const pattern = compileGoPattern(source);
		rules.push((value, path, report) => {
			if (!pattern.test(value)) report(invalid(path, value, `${path} in body should match '${source}'`));
		});
	}
	const format = text(schema, 'format');
	const matches = stringFormat(format === 'datetime' ? 'date-time' : (format ?? ''));
	if (matches) {
		rules.push((value, path, report) => {
			if (!matches(value)) report(invalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`));
		});
	}
	return rules;
}

const lengthOf = (value: string): number => [...value].length;

export function numberRules(schema: JsonObject): readonly Rule<number>[] {
	const rules: Rule<number>[] = [];
	const must = (holds: (value: number) => boolean, demand: string): void => {
		rules.push((value, path, report) => {
			if (!holds(value)) report(invalid(path, value, `${path} in body ${demand}`));
		});
	};
	const least = count(schema, 'minimum');
	if (least !== undefined) {
		if (flag(schema, 'exclusiveMinimum')) must((value) => value > least, `should be greater than ${least}`);
		else must((value) => value >= least, `should be greater than or equal to ${least}`);
	}
	const most = count(schema, 'maximum');
	if (most !== undefined) {
		if (flag(schema, 'exclusiveMaximum')) must((value) => value < most, `should be less than ${most}`);
		else must((value) => value <= most, `should be less than or equal to ${most}`);
	}
	const factor = count(schema, 'multipleOf');
	if (factor !== undefined) must((value) => Number.isInteger(value / factor), `should be a multiple of ${factor}`);
	const format = text(schema, 'format') ?? '';
	const fits = numberFormat(format);
	if (fits) must(fits, `must be of type ${format}`);
	return rules;
}
