/** What a user needs in order to act: what happened, why, and how to fix it. */
export interface ErrorText {
	readonly what: string;
	readonly why?: string | undefined;
	readonly fix?: string | undefined;
}

/**
 * An error with a stable code. `code` is listed in docs/reference/errors.md; `message` is "what: why (fix: ...)".
 * `details` are plain data for logs and conditions.
 */
export class CodedError extends Error {
	override readonly name: string = 'CodedError';
	readonly code: string;
	readonly text: ErrorText;
	readonly details: Readonly<Record<string, unknown>>;

	constructor(
		code: string,
		text: ErrorText | string,
		options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
	) {
		const parts = typeof text === 'string' ? { what: text } : text;
		super(sentence(parts), options.cause === undefined ? undefined : { cause: options.cause });
		this.code = code;
		this.text = parts;
		this.details = options.details ?? {};
	}
}

export function sentence(text: ErrorText): string {
	const why = text.why ? `: ${text.why}` : '';
	const fix = text.fix ? ` (fix: ${text.fix})` : '';
	return `${text.what}${why}${fix}`;
}

export function isCoded(error: unknown, code?: string): error is CodedError {
	return error instanceof CodedError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown, with the messages of its causes. */
export function messageOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/** True for the rejection that an aborted AbortSignal causes. */
export function isAbort(error: unknown): boolean {
	return error instanceof Error && (error.name === 'AbortError' || (error instanceof CodedError && error.code === 'ABORTED'));
}
