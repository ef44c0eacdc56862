/** A JSON object of unknown shape, as it comes from the wire. Treated as immutable throughout. */
export interface JsonObject {
	readonly [key: string]: unknown;
}

export function isJsonObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that two JSON values share exactly when they are equal, whatever the order of their members. */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(value, (_key, member: unknown) =>
		isJsonObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
	);
}

/** Maps the members of an object; `undefined` drops one. Returns `object` itself when nothing changed. */
export function mapMembers(object: JsonObject, map: (value: unknown, key: string) => unknown): JsonObject {
	let changed = false;
	const members: [string, unknown][] = [];
	for (const [key, value] of Object.entries(object)) {
		const mapped = map(value, key);
		if (mapped !== value) changed = true;
		if (mapped !== undefined) members.push([key, mapped]);
	}
	// fromEntries defines own members, so a member called `__proto__` stays data.
	return changed ? Object.fromEntries(members) : object;
}

/** Maps the items of an array. Returns `array` itself when nothing changed. */
export function mapItems(array: readonly unknown[], map: (item: unknown, index: number) => unknown): readonly unknown[] {
	const mapped = array.map(map);
	return mapped.every((item, index) => item === array[index]) ? array : mapped;
}
