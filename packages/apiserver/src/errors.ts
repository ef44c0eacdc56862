import { CodedError, isCoded, messageOf } from '@tapestry/base';
import { isRecord, type MutableJson } from './objects.ts';
import { type FieldError, formatFieldErrors } from './schema/index.ts';

/** metav1.StatusReason, the ones that this server gives. */
export type Reason =
	| 'BadRequest'
	| 'Unauthorized'
	| 'Forbidden'
	| 'NotFound'
	| 'MethodNotAllowed'
	| 'NotAcceptable'
	| 'AlreadyExists'
	| 'Conflict'
	| 'Expired'
	| 'RequestEntityTooLarge'
	| 'UnsupportedMediaType'
	| 'Invalid'
	| 'InternalError'
	| 'NotImplemented';

const httpStatus: Readonly<Record<Reason, number>> = {
	BadRequest: 400,
	Unauthorized: 401,
	Forbidden: 403,
	NotFound: 404,
	MethodNotAllowed: 405,
	NotAcceptable: 406,
	AlreadyExists: 409,
	Conflict: 409,
	Expired: 410,
	RequestEntityTooLarge: 413,
	UnsupportedMediaType: 415,
	Invalid: 422,
	InternalError: 500,
	NotImplemented: 501,
};

export interface StatusDetails {
	readonly name?: string;
	readonly group?: string;
	/** The plural, except in validation errors, where it is the kind. */
	readonly kind?: string;
	readonly uid?: string;
	readonly causes?: readonly { readonly reason: string; readonly message: string; readonly field: string }[];
}

/** metav1.Status. */
export interface Status {
	readonly kind: 'Status';
	readonly apiVersion: 'v1';
	readonly metadata: Record<string, never>;
	readonly status: 'Success' | 'Failure';
	readonly message?: string;
	/** A Reason, or what a webhook wrote. */
	readonly reason?: string;
	readonly details?: StatusDetails;
	readonly code: number;
}

/** A refused request. Its code is `API_` and the Status' reason. */
export class ApiError extends CodedError {
	override readonly name = 'ApiError';
	readonly reason: Reason;
	readonly statusDetails: StatusDetails | undefined;

	constructor(reason: Reason, message: string, statusDetails?: StatusDetails) {
		super(`API_${reason}`, message);
		this.reason = reason;
		this.statusDetails = statusDetails;
	}

	get status(): number {
		return httpStatus[this.reason];
	}
}

/** An admission webhook's refusal, which it explains by a Status of its own. */
class DeniedError extends ApiError {
	readonly answer: Status;

	constructor(answer: Status) {
		super('Forbidden', answer.message ?? '');
		this.answer = answer;
	}
}

/** The text and the code are made up as in k8s.io/apiserver/pkg/admission/plugin/webhook/errors. */
export function deniedBy(webhook: string, status: MutableJson = {}): ApiError {
	const { message, reason, code, details: more } = status;
	const denied = `admission webhook "${webhook}" denied the request`;
	const why = message || reason;
	return new DeniedError({
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		message: why ? `${denied}: ${why}` : `${denied} without explanation`,
		...(typeof reason === 'string' ? { reason } : {}),
		...(isRecord(more) ? { details: more } : {}),
		code: typeof code === 'number' && code >= 400 && code < 600 ? code : 400,
	});
}

/** What an error message names: `pods "web"`, `subnets.kubeovn.io "s1"`. */
export interface Subject {
	readonly group: string;
	readonly plural: string;
	readonly kind: string;
}

function quoted(subject: Subject, name: string): string {
	return `${subject.group ? `${subject.plural}.${subject.group}` : subject.plural} "${name}"`;
}

function details(subject: Subject, name: string): StatusDetails {
	return { name, ...(subject.group ? { group: subject.group } : {}), kind: subject.plural };
}

export function badRequest(message: string): ApiError {
	return new ApiError('BadRequest', message);
}

export function notFound(subject: Subject, name: string): ApiError {
	return new ApiError('NotFound', `${quoted(subject, name)} not found`, details(subject, name));
}

export function alreadyExists(subject: Subject, name: string): ApiError {
	return new ApiError('AlreadyExists', `${quoted(subject, name)} already exists`, details(subject, name));
}

export function forbidden(subject: Subject, name: string, why: string): ApiError {
	return new ApiError('Forbidden', `${quoted(subject, name)} is forbidden: ${why}`, details(subject, name));
}

export function conflict(subject: Subject, name: string, why: string): ApiError {
	return new ApiError('Conflict', `Operation cannot be fulfilled on ${quoted(subject, name)}: ${why}`, details(subject, name));
}

export function staleVersion(subject: Subject, name: string): ApiError {
	return conflict(subject, name, 'the object has been modified; please apply your changes to the latest version and try again');
}

export function invalid(subject: Subject, name: string, errors: readonly FieldError[]): ApiError {
	return new ApiError(
		'Invalid',
		`${subject.kind}${subject.group ? `.${subject.group}` : ''} "${name}" is invalid: ${formatFieldErrors(errors)}`,
		{
			name,
			...(subject.group ? { group: subject.group } : {}),
			kind: subject.kind,
			causes: errors.map(({ type, message, field }) => ({ reason: type, message, field })),
		},
	);
}

/** The Status that answers a failed request. */
export function statusOf(error: unknown): Status {
	const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const;
	if (error instanceof DeniedError) return error.answer;
	if (error instanceof ApiError) {
		const { statusDetails, reason, message, status } = error;
		return { ...failure, message, reason, ...(statusDetails ? { details: statusDetails } : {}), code: status };
	}
	if (isCoded(error, 'PATCH_INVALID')) return statusOf(new ApiError('Invalid', error.message));
	return { ...failure, message: `internal error: ${messageOf(error)}`, reason: 'InternalError', code: 500 };
}
