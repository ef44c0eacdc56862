export { type CompiledSchema, compileSchema } from './compile.ts';
export { type FieldError, type FieldErrorType, formatFieldErrors } from './field-error.ts';
export { canonicalJson, isJsonObject, type JsonObject } from './json.ts';
export { checkStructural } from './structural.ts';
