import { childPath, type FieldError, forbidden, itemPath, required } from './field-error.ts';
import type { JsonObject } from './json.ts';
import { flag, properties, subschema, subschemas } from './schema-node.ts';
import { checkSyntax } from './structural-syntax.ts';

type Report = (error: FieldError) => void;

/** What shapes or documents a value belongs to the structure, so that pruning and defaulting never depend on which alternative holds. */
const structureOnly = ['type', 'additionalProperties', 'default', 'nullable', 'title', 'description'];
const combinators = ['allOf', 'anyOf', 'oneOf'];

/** Checks `allOf`, `anyOf`, `oneOf` and `not` of one node of the structure, and what they contain. */
export function checkNested(structure: JsonObject, path: string, report: Report): void {
	for (const [nested, at] of alternatives(structure, path)) {
		// The one exception: alternatives that only repeat what x-kubernetes-int-or-string says.
		const typed = flag(structure, 'x-kubernetes-int-or-string') && isTypeOnly(nested);
		if (!typed) checkAlternative(nested, structure, at, report);
	}
}

function* alternatives(schema: JsonObject, path: string): Generator<readonly [JsonObject, string]> {
	for (const key of combinators) {
		for (const [index, nested] of subschemas(schema, key).entries()) yield [nested, itemPath(childPath(path, key), index)];
	}
	const not = subschema(schema, 'not');
	if (not) yield [not, childPath(path, 'not')];
}

/** `{type: T}`, or `{anyOf: [{type: T}, ...]}`, the form inside allOf. */
function isTypeOnly(schema: JsonObject): boolean {
	const keys = Object.keys(schema);
	if (keys.length !== 1) return false;
	return keys[0] === 'type' || (keys[0] === 'anyOf' && subschemas(schema, 'anyOf').every(isTypeOnly));
}

function checkAlternative(nested: JsonObject, structure: JsonObject | undefined, path: string, report: Report): void {
	checkSyntax(nested, path, report);
	for (const key of Object.keys(nested)) {
		if (structureOnly.includes(key) || key.startsWith('x-kubernetes-'))
			report(forbidden(childPath(path, key), 'must be undefined to be structural'));
	}
	const fields = structure ? properties(structure) : new Map<string, JsonObject>();
	const open = structure && (flag(structure, 'x-kubernetes-preserve-unknown-fields') || structure.additionalProperties !== undefined);
	for (const [name, property] of properties(nested)) {
		const at = `${childPath(path, 'properties')}[${name}]`;
		const field = fields.get(name);
		if (!field && !open) report(required(at, `because it is defined in ${at}, it must be specified in the structure`));
		checkAlternative(property, field, at, report);
	}
	const items = subschema(nested, 'items');
	if (items) checkAlternative(items, structure && subschema(structure, 'items'), childPath(path, 'items'), report);
	for (const [inner, at] of alternatives(nested, path)) checkAlternative(inner, structure, at, report);
}
