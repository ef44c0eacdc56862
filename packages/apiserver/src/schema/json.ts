/** A JSON object of unknown shape, as it comes from the wire. Treated as immutable throughout. */
export interface JsonObject {
	readonly [key: string]: unknown;
}

export function isJsonObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
