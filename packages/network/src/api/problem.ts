import type { ErrorText } from '@tapestry/base';

/** Why an object cannot have what it asks for; becomes a condition and an event on it. `sentence` of `@tapestry/base` makes the message. */
export interface Problem extends ErrorText {
	/** CamelCase, for programs; the `reason` of the condition. */
	readonly reason: string;
	readonly what: string;
	readonly why: string;
	readonly fix: string;
	/** Path of the field, such as `spec.cidrBlock`. */
	readonly field?: string;
}

/** What was read out of a text that a user wrote. */
export type Parsed<T> = { readonly value: T; readonly problem?: never } | { readonly problem: Problem; readonly value?: never };
