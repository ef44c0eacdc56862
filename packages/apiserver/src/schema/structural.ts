import { compileSchema } from './compile.ts';
import { childPath, type FieldError, forbidden, invalid, required } from './field-error.ts';
import type { JsonObject } from './json.ts';
import { flag, properties, subschema, text } from './schema-node.ts';
import { checkListType } from './structural-list.ts';
import { checkNested } from './structural-nested.ts';
import { checkSyntax } from './structural-syntax.ts';

/**
 * What makes a schema non-structural, with the texts of apiextensions-apiserver (pkg/apiserver/schema/validation.go);
 * `field`s are relative to the schema (`properties[spec].type`). `x-kubernetes-validations` (CEL) is accepted and ignored.
 */
export function checkStructural(schema: JsonObject): readonly FieldError[] {
	const errors: FieldError[] = [];
	checkNode(schema, '', 'root', (error) => errors.push(error));
	if (errors.length === 0) checkDefaults(schema, '', (error) => errors.push(error));
	return errors;
}

type Level = 'root' | 'field' | 'item';
type Report = (error: FieldError) => void;

const untyped: Readonly<Record<Level, string>> = {
	root: 'must not be empty at the root',
	field: 'must not be empty for specified object fields',
	item: 'must not be empty for specified array items',
};

function checkNode(schema: JsonObject, path: string, level: Level, report: Report): void {
	checkSyntax(schema, path, report);
	checkType(schema, path, level, report);
	checkExtensions(schema, path, report);
	checkListType(schema, path, report);
	checkNested(schema, path, report);
	for (const [name, property] of properties(schema)) checkNode(property, propertyPath(path, name), 'field', report);
	const additional = subschema(schema, 'additionalProperties');
	if (additional) checkNode(additional, childPath(path, 'additionalProperties'), 'field', report);
	const items = subschema(schema, 'items');
	if (items) checkNode(items, childPath(path, 'items'), 'item', report);
	if (level === 'root' || flag(schema, 'x-kubernetes-embedded-resource')) checkMetadata(schema, path, report);
}

const propertyPath = (path: string, name: string): string => `${childPath(path, 'properties')}[${name}]`;

function checkType(schema: JsonObject, path: string, level: Level, report: Report): void {
	const field = childPath(path, 'type');
	const type = text(schema, 'type');
	const intOrString = flag(schema, 'x-kubernetes-int-or-string');
	const preserve = flag(schema, 'x-kubernetes-preserve-unknown-fields');
	if (type === undefined) {
		if (level === 'root' || (!intOrString && !preserve)) report(required(field, untyped[level]));
		return;
	}
	if (intOrString) report(invalid(field, type, 'must be empty if x-kubernetes-int-or-string is true'));
	if (level === 'root' && type !== 'object') report(invalid(field, type, 'must be object at the root'));
	if (type === 'array' && schema.items === undefined) report(required(childPath(path, 'items'), 'must be specified'));
}

function checkExtensions(schema: JsonObject, path: string, report: Report): void {
	if (Object.hasOwn(schema, 'x-kubernetes-preserve-unknown-fields') && !flag(schema, 'x-kubernetes-preserve-unknown-fields')) {
		const value = schema['x-kubernetes-preserve-unknown-fields'];
		report(invalid(childPath(path, 'x-kubernetes-preserve-unknown-fields'), value, 'must be true or undefined'));
	}
	if (!flag(schema, 'x-kubernetes-embedded-resource')) return;
	const type = text(schema, 'type');
	if (type !== 'object') report(invalid(childPath(path, 'type'), type ?? '', 'must be object if x-kubernetes-embedded-resource is true'));
	if (properties(schema).size === 0 && !flag(schema, 'x-kubernetes-preserve-unknown-fields')) {
		const detail = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
		report(required(childPath(path, 'properties'), detail));
	}
}

/** ObjectMeta is the API machinery's; a schema may restrict names only. */
function checkMetadata(schema: JsonObject, path: string, report: Report): void {
	const metadata = properties(schema).get('metadata');
	if (!metadata) return;
	const foreign = [...properties(metadata).keys()].some((name) => name !== 'name' && name !== 'generateName');
	if (!foreign && !Object.hasOwn(metadata, 'additionalProperties')) return;
	report(
		forbidden(
			propertyPath(path, 'metadata'),
			'must not specify anything other than name and generateName, but metadata is implicitly specified',
		),
	);
}

/** A default must survive pruning and satisfy its own schema, else every object that takes it would be refused. */
function checkDefaults(schema: JsonObject, path: string, report: Report): void {
	if (schema.default !== undefined && schema.default !== null) checkDefault(schema, childPath(path, 'default'), report);
	for (const [name, property] of properties(schema)) checkDefaults(property, propertyPath(path, name), report);
	for (const key of ['items', 'additionalProperties']) {
		const child = subschema(schema, key);
		if (child) checkDefaults(child, childPath(path, key), report);
	}
}

function checkDefault(schema: JsonObject, path: string, report: Report): void {
	// Wrapped, because compileSchema takes the schema of a whole object.
	const { prune, applyDefaults, validate } = compileSchema({ type: 'object', properties: { value: schema } });
	const wrapped = { value: schema.default };
	if (prune(wrapped) !== wrapped) report(invalid(path, schema.default, 'must be equal to itself after pruning'));
	for (const error of validate(applyDefaults(wrapped))) {
		report({ ...error, field: error.field.replace('value', path), message: error.message.replace('value in body', `${path} in body`) });
	}
}
