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

const detailed = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`);

export function required(field: string, detail = ''): FieldError {
	return { field, type: 'FieldValueRequired', message: detailed('Required value', detail) };
}

export function forbidden(field: string, detail: string): FieldError {
	return { field, type: 'FieldValueForbidden', message: detailed('Forbidden', detail) };
}

export function invalid(field: string, value: unknown, detail: string): FieldError {
	return { field, type: 'FieldValueInvalid', message: detailed(`Invalid value: ${JSON.stringify(value)}`, detail) };
}

/** `actual` is the JSON type found; the API server prints it in the place of the value. */
export function typeInvalid(field: string, actual: string, expected: string): FieldError {
	const message = `Invalid value: "${actual}": ${field} in body must be of type ${expected}: "${actual}"`;
	return { field, type: 'FieldValueTypeInvalid', message };
}

export function notSupported(field: string, value: unknown, supported: readonly unknown[]): FieldError {
	const list = supported.map((item) => JSON.stringify(typeof item === 'string' ? item : JSON.stringify(item))).join(', ');
	return { field, type: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}` };
}

export function duplicate(field: string, value: unknown): FieldError {
	return { field, type: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(value)}` };
}

export function tooLong(field: string, limit: number): FieldError {
	return { field, type: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes` };
}

export function tooMany(field: string, actual: number, limit: number): FieldError {
	return { field, type: 'FieldValueTooMany', message: `Too many: ${actual}: must have at most ${limit} items` };
}

export function childPath(path: string, key: string): string {
	return path === '' ? key : `${path}.${key}`;
}

export function itemPath(path: string, index: number): string {
	return `${path}[${index}]`;
}
