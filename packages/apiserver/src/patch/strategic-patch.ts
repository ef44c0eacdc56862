import { isJsonObject, type JsonObject } from '../schema/index.ts';
import { fieldOf, type MergeSchema } from './merge-schema.ts';
import { malformed } from './patch-error.ts';
import { directiveOf, type PatchLevel, plainValue, readLevel } from './strategic-directives.ts';
import { arrange, mergeList } from './strategic-list.ts';

/**
 * Kubernetes' strategic merge patch (k8s.io/apimachinery/pkg/util/strategicpatch), with all its directives. `document` is never
 * changed. Throws CodedError PATCH_INVALID.
 */
export function applyStrategicPatch(document: object, patch: unknown, mergeSchema: MergeSchema): object {
	if (!isJsonObject(patch)) throw malformed('a strategic merge patch is an object', 'send the members to change, null for those to delete');
	return mergeObject(document as JsonObject, patch, mergeSchema);
}

function mergeObject(target: JsonObject, patch: JsonObject, schema: MergeSchema): JsonObject {
	const directive = directiveOf(patch);
	if (directive === 'delete') return {};
	if (directive === 'replace') {
		const { $patch: _, ...value } = patch;
		return value;
	}
	const level = readLevel(patch);
	const merged = retained(target, level);
	for (const [key, values] of level.deletions) {
		const list = merged.get(key);
		if (Array.isArray(list)) merged.set(key, without(list, values));
	}
	for (const [key, value] of level.members) {
		if (value === null) merged.delete(key);
		else merged.set(key, mergeMember(merged.get(key), value, fieldOf(schema, key)));
	}
	for (const [key, order] of orders(level, schema)) {
		const list = merged.get(key);
		const server = target[key];
		if (!Array.isArray(list)) continue;
		const rule = fieldOf(schema, key).list;
		if (rule) merged.set(key, arrange(list, order, Array.isArray(server) ? server : [], rule));
	}
	return Object.fromEntries(merged);
}

function retained(target: JsonObject, { retainKeys, members }: PatchLevel): Map<string, unknown> {
	if (!retainKeys) return new Map(Object.entries(target));
	for (const [key, value] of members) {
		if (value !== null && !retainKeys.includes(key))
			throw malformed(`${key} is set but not in $retainKeys`, 'name in $retainKeys every member that the patch has');
	}
	return new Map(Object.entries(target).filter(([key]) => retainKeys.includes(key)));
}

function without(list: readonly unknown[], values: readonly unknown[]): readonly unknown[] {
	const gone = new Set(values);
	return list.filter((item) => !gone.has(item));
}

function mergeMember(target: unknown, patch: unknown, schema: MergeSchema): unknown {
	if (isJsonObject(patch) && isJsonObject(target) && !schema.replace) return mergeObject(target, patch, schema);
	if (Array.isArray(patch) && Array.isArray(target) && schema.list) {
		return mergeList(target, patch, schema.list, (item, change) => mergeObject(item, change, schema));
	}
	return plainValue(patch);
}

/** Without `$setElementOrder` the order of the patch list itself counts. */
function orders(level: PatchLevel, schema: MergeSchema): ReadonlyMap<string, readonly unknown[]> {
	const result = new Map(level.order);
	for (const [key, value] of level.members) {
		if (result.has(key) || !Array.isArray(value) || !fieldOf(schema, key).list) continue;
		result.set(key, value);
	}
	return result;
}
