import type { FieldError } from './field-error.ts';
import type { JsonObject } from './json.ts';

/** What makes a schema non-structural; `field`s are relative to the schema (`properties[spec].type`). */
export function checkStructural(_schema: JsonObject): readonly FieldError[] {
	return [];
}
