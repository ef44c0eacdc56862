import type { FieldError } from './field-error.ts';
import type { JsonObject } from './json.ts';

export type Rule<T> = (value: T, path: string, report: (error: FieldError) => void) => void;

/** Passed down to the rules of containers and combinators, which hold schemas themselves. */
export type Compile = (schema: JsonObject) => Rule<unknown>;
