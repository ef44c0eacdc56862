import { CodedError, messageOf } from '@tapestry/base';

/** An error as a person reads it: what, why, how to fix; the code last, to look it up in docs/reference/errors.md. */
export function describeFailure(error: unknown): string {
	if (!(error instanceof CodedError)) return `tapestry: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`;
	const { what, why, fix } = error.text;
	return [`tapestry: ${what}`, ...(why ? [`  why: ${why}`] : []), ...(fix ? [`  fix: ${fix}`] : []), `  code: ${error.code}`, ''].join(
		'\n',
	);
}
