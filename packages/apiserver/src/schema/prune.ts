import { childPath, itemPath } from './field-error.ts';
import { isJsonObject, type JsonObject, mapItems, mapMembers } from './json.ts';
import { flag, implicitFields, properties, subschema } from './schema-node.ts';

/** Returns `value` without unspecified fields, calling `dropped` with the path of each. */
export type Pruner = (value: unknown, path: string, dropped: (path: string) => void) => unknown;

/** A schema of a whole object (`root`) keeps apiVersion, kind and metadata, as an embedded resource does. */
export function compilePruner(schema: JsonObject | undefined, root = false): Pruner {
	const node = schema ?? {};
	const fields = new Map([...properties(node)].map(([name, property]) => [name, compilePruner(property)] as const));
	const additional = compileAdditional(node);
	const items = compileItems(node);
	const resource = root || flag(node, 'x-kubernetes-embedded-resource');
	const preserve = flag(node, 'x-kubernetes-preserve-unknown-fields');

	return (value, path, dropped) => {
		if (Array.isArray(value)) return mapItems(value, (item, index) => items(item, itemPath(path, index), dropped));
		if (!isJsonObject(value)) return value;
		return mapMembers(value, (member, key) => {
			if (resource && implicitFields.has(key)) return member;
			const field = fields.get(key) ?? additional;
			if (field) return field(member, childPath(path, key), dropped);
			if (preserve) return member;
			dropped(childPath(path, key));
			return undefined;
		});
	};
}

const keep: Pruner = (value) => value;

function compileAdditional(schema: JsonObject): Pruner | undefined {
	if (flag(schema, 'additionalProperties')) return keep;
	const additional = subschema(schema, 'additionalProperties');
	return additional && compilePruner(additional);
}

/** "Preserve unknown fields" on a list extends to its items (apiextensions-apiserver, schema/pruning, skipPrune). */
function compileItems(schema: JsonObject): Pruner {
	const items = subschema(schema, 'items');
	const preserve = flag(schema, 'x-kubernetes-preserve-unknown-fields');
	if (!items) return preserve ? keep : pruneAll;
	if (!preserve) return compilePruner(items);
	return compilePruner({ ...items, 'x-kubernetes-preserve-unknown-fields': true });
}

const pruneAll: Pruner = (value, path, dropped) => {
	if (Array.isArray(value)) return mapItems(value, (item, index) => pruneAll(item, itemPath(path, index), dropped));
	if (!isJsonObject(value)) return value;
	return mapMembers(value, (_member, key) => {
		dropped(childPath(path, key));
		return undefined;
	});
};
