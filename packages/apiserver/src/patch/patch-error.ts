import { CodedError } from '@tapestry/base';

/** The patch itself is wrong: HTTP 400. */
export function malformed(why: string, fix: string): CodedError {
	return new CodedError('PATCH_INVALID', { what: 'the patch is malformed', why, fix }, { details: { fault: 'malformed' } });
}

/** A well-formed patch does not fit this document: HTTP 422. */
export function inapplicable(why: string, fix: string): CodedError {
	return new CodedError('PATCH_INVALID', { what: 'the patch cannot be applied', why, fix }, { details: { fault: 'inapplicable' } });
}
