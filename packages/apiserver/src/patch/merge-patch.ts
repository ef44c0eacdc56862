import { isJsonObject, type JsonObject } from '../schema/index.ts';
import { malformed } from './patch-error.ts';

/** RFC 7386. `document` is never changed. Throws CodedError PATCH_INVALID when the patch is not an object. */
export function applyMergePatch(document: object, patch: unknown): object {
	if (!isJsonObject(patch)) throw malformed('a merge patch is an object', 'send the members to change, null for those to delete');
	return mergeObject(document as JsonObject, patch);
}

function mergeObject(target: JsonObject, patch: JsonObject): JsonObject {
	const merged = new Map(Object.entries(target));
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) merged.delete(key);
		else merged.set(key, mergeValue(merged.get(key), value));
	}
	// fromEntries defines own members, so a member called `__proto__` stays data.
	return Object.fromEntries(merged);
}

function mergeValue(target: unknown, patch: unknown): unknown {
	return isJsonObject(patch) ? mergeObject(isJsonObject(target) ? target : {}, patch) : patch;
}
