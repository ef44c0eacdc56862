import { CodedError, type ErrorText } from '@tapestry/base';

/** The parts of a `v1.Status` that callers read. Source: Kubernetes API conventions, "Response Status Kind". */
export interface StatusObject {
	readonly kind?: string;
	readonly code?: number;
	readonly reason?: string;
	readonly message?: string;
	readonly details?: {
		readonly name?: string;
		readonly kind?: string;
		readonly causes?: readonly { readonly field?: string; readonly message?: string; readonly reason?: string }[];
		readonly retryAfterSeconds?: number;
	};
}

const fixes: Readonly<Record<string, string>> = {
	KUBE_CONFLICT: 'read the object again and repeat the change',
	KUBE_FORBIDDEN: 'check the credentials in the kubeconfig and the RBAC rules of this identity',
	KUBE_UNAVAILABLE: 'check that the API server runs and is reachable from here',
};

/** The error of an answer that is not a success; `details.status` is the server's Status object. */
export function statusError(request: string, httpStatus: number, status: StatusObject): CodedError {
	const code = codeOf(httpStatus, status.reason);
	const why = status.message ?? `HTTP status ${httpStatus}`;
	return new CodedError(code, text(code, `${request} was refused`, why), { details: { status, httpStatus } });
}

/** The error of a request that got no (whole) answer. */
export function unavailable(request: string, cause: unknown): CodedError {
	const why = cause instanceof Error ? cause.message : String(cause);
	return new CodedError('KUBE_UNAVAILABLE', text('KUBE_UNAVAILABLE', `${request} got no answer`, why), { cause });
}

function text(code: string, what: string, why: string): ErrorText {
	return { what, why, fix: fixes[code] };
}

function codeOf(httpStatus: number, reason: string | undefined): string {
	switch (httpStatus) {
		case 400:
		case 422:
			return 'KUBE_INVALID';
		case 401:
		case 403:
			return 'KUBE_FORBIDDEN';
		case 404:
			return 'KUBE_NOT_FOUND';
		case 409:
			return reason === 'AlreadyExists' ? 'KUBE_EXISTS' : 'KUBE_CONFLICT';
		case 410:
			return 'KUBE_GONE';
		// The request was not served and may be repeated later, as if there had been no answer.
		case 429:
		case 502:
		case 503:
		case 504:
			return 'KUBE_UNAVAILABLE';
		default:
			return 'KUBE_STATUS';
	}
}
