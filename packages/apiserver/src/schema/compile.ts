import type { FieldError } from './field-error.ts';
import type { JsonObject } from './json.ts';

/**
 * An `openAPIV3Schema` compiled once to closures. All three functions leave their argument alone and return it as it is when
 * there is nothing to change. The API server's order is prune, applyDefaults, validate.
 *
 * `x-kubernetes-validations` (CEL) is accepted and ignored.
 */
export interface CompiledSchema {
	/** Drops the fields that the schema does not specify. */
	prune<T extends object>(object: T): T;
	/** Paths that `prune` would drop, for `fieldValidation=Strict|Warn`: `spec.foo`. */
	unknownFields(object: object): readonly string[];
	/** Fills `default`s, and drops the nulls of fields that are not nullable. */
	applyDefaults<T extends object>(object: T): T;
	validate(object: object): readonly FieldError[];
}

export function compileSchema(_schema: JsonObject): CompiledSchema {
	return { prune: (object) => object, unknownFields: () => [], applyDefaults: (object) => object, validate: () => [] };
}
