/** How the lists below one field path merge; opaque to callers. */
export interface MergeSchema {
	readonly fields: ReadonlyMap<string, MergeSchema>;
}

/** The strategic merge rules of a built-in kind; undefined for kinds that have none (custom resources: answer 415). */
export function mergeSchemaFor(_group: string, _version: string, _kind: string): MergeSchema | undefined {
	return undefined;
}
