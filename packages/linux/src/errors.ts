import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { CodedError } from '@tapestry/base';

/**
 * A failed system call or netlink request as CodedError `LINUX_<ERRNO>`, for example LINUX_EEXIST.
 * `details`: `errno` (positive number), `operation`, `subject`.
 */
export function linuxError(errno: number, operation: string, subject?: string): CodedError {
	const what = subject === undefined ? `${operation} failed` : `${operation} of "${subject}" failed`;
	return new CodedError(
		`LINUX_${getSystemErrorName(-errno)}`,
		{ what, why: getSystemErrorMessage(-errno) },
		{ details: { errno, operation, ...(subject === undefined ? {} : { subject }) } },
	);
}
