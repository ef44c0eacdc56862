import { compileDefaults } from './defaults.ts';
import type { FieldError } from './field-error.ts';
import type { JsonObject } from './json.ts';
import { compilePruner } from './prune.ts';
import { compileValidator } from './validate.ts';

/**
 * An `openAPIV3Schema` compiled once to closures. All functions leave their argument alone and return it as it is when
 * there is nothing to change. The API server's order is prune, applyDefaults, validate.
 *
 * `x-kubernetes-validations` (CEL) is accepted and ignored.
 */
export interface CompiledSchema {
	/** Drops the fields that the schema does not specify. */
	prune<T extends object>(object: T): T;
	/** The paths of what `prune` drops (`spec.foo`), for `fieldValidation=Strict|Warn`. */
	unknownFields(object: object): readonly string[];
	/** Fills `default`s, and drops the nulls of fields that are not nullable. */
	applyDefaults<T extends object>(object: T): T;
	validate(object: object): readonly FieldError[];
}

/** `schema` is one that `checkStructural` finds nothing in. Throws SyntaxError for a `pattern` that is no regular expression. */
export function compileSchema(schema: JsonObject): CompiledSchema {
	const prune = compilePruner(schema, true);
	const applyDefaults = compileDefaults(schema);
	const validate = compileValidator(schema);
	return {
		prune: <T extends object>(object: T) => prune(object, '', () => {}) as T,
		unknownFields(object) {
			const paths: string[] = [];
			prune(object, '', (path) => paths.push(path));
			return paths;
		},
		applyDefaults: <T extends object>(object: T) => applyDefaults(object) as T,
		validate(object) {
			const errors: FieldError[] = [];
			validate(object, '', (error) => errors.push(error));
			return errors;
		},
	};
}
