import { childPath, type FieldError, forbidden, invalid, itemPath, notSupported, required } from './field-error.ts';
import type { JsonObject } from './json.ts';
import { flag, properties, subschema, text, texts } from './schema-node.ts';

const listTypes = ['atomic', 'map', 'set'];

export function checkListType(schema: JsonObject, path: string, report: (error: FieldError) => void): void {
	const listType = text(schema, 'x-kubernetes-list-type');
	const keys = texts(schema, 'x-kubernetes-list-map-keys');
	const keysPath = childPath(path, 'x-kubernetes-list-map-keys');
	if (keys.length > 0 && listType !== 'map') report(invalid(keysPath, keys, 'must be empty if x-kubernetes-list-type is not map'));
	if (listType === undefined) return;
	const typePath = childPath(path, 'x-kubernetes-list-type');
	if (!listTypes.includes(listType)) report(notSupported(typePath, listType, listTypes));
	if (text(schema, 'type') !== 'array') {
		report(invalid(childPath(path, 'type'), schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
	}
	const items = subschema(schema, 'items');
	if (!items) return;
	const itemsPath = childPath(path, 'items');
	if (listType !== 'atomic' && flag(items, 'nullable')) {
		report(forbidden(childPath(itemsPath, 'nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
	}
	if (listType === 'map') checkKeys(items, keys, { keysPath, itemsPath }, report);
}

function checkKeys(
	items: JsonObject,
	keys: readonly string[],
	at: { readonly keysPath: string; readonly itemsPath: string },
	report: (error: FieldError) => void,
): void {
	if (keys.length === 0) report(required(at.keysPath, 'must not be empty if x-kubernetes-list-type is map'));
	if (text(items, 'type') !== 'object') {
		report(invalid(childPath(at.itemsPath, 'type'), items.type ?? '', 'must be object if parent array has x-kubernetes-list-type=map'));
		return;
	}
	const fields = properties(items);
	for (const [index, key] of keys.entries()) {
		const field = fields.get(key);
		const fieldPath = `${childPath(at.itemsPath, 'properties')}[${key}]`;
		if (!field) {
			report(invalid(itemPath(at.keysPath, index), key, 'must be a property of the items'));
		} else if (['array', 'object'].includes(text(field, 'type') ?? '')) {
			report(invalid(childPath(fieldPath, 'type'), field.type, 'must be a scalar type if parent array has x-kubernetes-list-type=map'));
		} else if (field.default === undefined && !texts(items, 'required').includes(key)) {
			report(
				required(
					childPath(fieldPath, 'default'),
					'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
				),
			);
		}
	}
}
