import { isJsonObject, type JsonObject } from './json.ts';

/** Readers of an untyped schema: a member of the wrong type counts as absent (checkStructural has reported it). */
export function subschema(schema: JsonObject, key: string): JsonObject | undefined {
	const value = schema[key];
	return isJsonObject(value) ? value : undefined;
}

export function subschemas(schema: JsonObject, key: string): readonly JsonObject[] {
	const value = schema[key];
	return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function properties(schema: JsonObject): ReadonlyMap<string, JsonObject> {
	const entries = Object.entries(subschema(schema, 'properties') ?? {});
	return new Map(entries.filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1])));
}

export function text(schema: JsonObject, key: string): string | undefined {
	const value = schema[key];
	return typeof value === 'string' ? value : undefined;
}

export function count(schema: JsonObject, key: string): number | undefined {
	const value = schema[key];
	return typeof value === 'number' ? value : undefined;
}

export function texts(schema: JsonObject, key: string): readonly string[] {
	const value = schema[key];
	return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function flag(schema: JsonObject, key: string): boolean {
	return schema[key] === true;
}

/** The members that every resource, embedded ones included, has without its schema naming them. */
export const implicitFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
