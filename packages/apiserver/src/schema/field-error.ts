/** The `reason` of a StatusCause, as in k8s.io/apimachinery/pkg/util/validation/field. */
export type FieldErrorType =
	| 'FieldValueRequired'
	| 'FieldValueInvalid'
	| 'FieldValueNotSupported'
	| 'FieldValueTypeInvalid'
	| 'FieldValueDuplicate'
	| 'FieldValueForbidden'
	| 'FieldValueTooLong'
	| 'FieldValueTooMany';

/**
 * One StatusCause: `field` is the path (`spec.ports[0].name`), `type` its reason, `message` its message without the path
 * (`Required value`, `Invalid value: "x": spec.cidr in body should match '^a$'`).
 */
export interface FieldError {
	readonly field: string;
	readonly type: FieldErrorType;
	readonly message: string;
}

/** The tail of a Status message: `spec.foo: Required value`, or `[a: ..., b: ...]` for several. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
	const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
	return texts.length === 1 ? `${texts[0]}` : `[${texts.join(', ')}]`;
}
