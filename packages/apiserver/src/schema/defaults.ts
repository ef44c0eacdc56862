import { isJsonObject, type JsonObject, mapItems, mapMembers } from './json.ts';
import { flag, properties, subschema } from './schema-node.ts';

type Defaulter = (value: unknown) => unknown;

interface Field {
	readonly fill: Defaulter;
	readonly nullable: boolean;
	/** undefined: none. */
	readonly initial: unknown;
}

/**
 * A null of a field that is not nullable counts as absent: it takes the default, or is dropped where there is none
 * (apiextensions-apiserver, schema/defaulting). Defaults are then defaulted themselves, so the result is a fixed point.
 */
export function compileDefaults(schema: JsonObject): Defaulter {
	const fields = new Map([...properties(schema)].map(([name, property]) => [name, compileField(property)] as const));
	const initial = [...fields].filter(([, field]) => field.initial !== undefined);
	const additional = compileOptional(subschema(schema, 'additionalProperties'));
	const items = compileOptional(subschema(schema, 'items'));

	return (value) => {
		if (Array.isArray(value)) return items ? mapItems(value, (item) => resolve(items, item) ?? null) : value;
		if (!isJsonObject(value)) return value;
		const filled = mapMembers(value, (member, key) => {
			const field = fields.get(key) ?? additional;
			return field ? resolve(field, member) : member;
		});
		const missing = initial.filter(([name]) => !Object.hasOwn(filled, name));
		if (missing.length === 0) return filled;
		return { ...filled, ...Object.fromEntries(missing.map(([name, field]) => [name, field.fill(field.initial)])) };
	};
}

function compileField(schema: JsonObject): Field {
	const initial = schema.default;
	return { fill: compileDefaults(schema), nullable: flag(schema, 'nullable'), initial: initial === null ? undefined : initial };
}

function compileOptional(schema: JsonObject | undefined): Field | undefined {
	return schema && compileField(schema);
}

function resolve(field: Field, value: unknown): unknown {
	if (value !== null) return field.fill(value);
	return field.nullable ? null : field.fill(field.initial);
}
