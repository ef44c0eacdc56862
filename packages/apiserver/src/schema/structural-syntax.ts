import { childPath, type FieldError, forbidden, invalid, notSupported } from './field-error.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { compileGoPattern } from './regex.ts';
import { properties, subschema, text } from './schema-node.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const unsupported = ['$ref', 'definitions', 'dependencies', 'patternProperties', 'additionalItems', 'id', '$schema'];

/** The parts of JSON Schema that CustomResourceDefinitions leave out, and members of the wrong form; of one node, not of its children. */
export function checkSyntax(schema: JsonObject, path: string, report: (error: FieldError) => void): void {
	for (const key of unsupported) {
		if (Object.hasOwn(schema, key)) report(forbidden(childPath(path, key), `${key} is not supported`));
	}
	const type: unknown = schema.type;
	if (type !== undefined && (typeof type !== 'string' || !types.includes(type))) {
		report(notSupported(childPath(path, 'type'), type, types));
	}
	if (Array.isArray(schema.items)) report(forbidden(childPath(path, 'items'), 'items must be a schema object and not an array'));
	if (schema.uniqueItems === true) {
		report(forbidden(childPath(path, 'uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
	}
	if (schema.additionalProperties === false) {
		report(forbidden(childPath(path, 'additionalProperties'), 'additionalProperties cannot be set to false'));
	} else if (schema.additionalProperties !== undefined && properties(schema).size > 0) {
		report(forbidden(childPath(path, 'additionalProperties'), 'additionalProperties and properties are mutual exclusive'));
	}
	for (const [name, property] of Object.entries(subschema(schema, 'properties') ?? {})) {
		if (!isJsonObject(property)) report(invalid(`${childPath(path, 'properties')}[${name}]`, property, 'must be a schema object'));
	}
	checkPattern(text(schema, 'pattern'), childPath(path, 'pattern'), report);
}

function checkPattern(pattern: string | undefined, path: string, report: (error: FieldError) => void): void {
	if (pattern === undefined) return;
	try {
		compileGoPattern(pattern);
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		report(invalid(path, pattern, `must be a valid regular expression, but isn't: ${why}`));
	}
}
