import { CodedError } from '@tapestry/base';
import type { Problem } from '@tapestry/network';

/** Throws a problem to where it is reported. */
export function refuse(problem: Problem): never {
	throw new CodedError('REFUSED', problem, { details: { problem } });
}

/** What to tell the user about an error that only the user can mend. */
export function problemOf(error: CodedError): Problem {
	const { problem } = error.details as { readonly problem?: Problem };
	const { what, why = '', fix = '' } = error.text;
	return problem ?? { reason: camelCase(error.code), what, why, fix };
}

/** `IPAM_TAKEN` -> `IpamTaken`: conditions and events want CamelCase. */
function camelCase(code: string): string {
	return code
		.split('_')
		.map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
		.join('');
}
