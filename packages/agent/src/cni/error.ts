import { isCoded, messageOf, sentence } from '@tapestry/base';

/** CNI specification 1.1, "Error": well-known codes; from 100 on a plugin's own. */
export const cniCodes = {
	incompatibleVersion: 1,
	unsupportedField: 2,
	unknownContainer: 3,
	environment: 4,
	io: 5,
	decode: 6,
	invalidConfig: 7,
	tryAgain: 11,
	notAvailable: 50,
	alreadyAttached: 100,
	checkFailed: 101,
} as const;

/** What goes to standard output with an exit status other than 0. */
export interface CniErrorDocument {
	readonly cniVersion: string;
	readonly code: number;
	readonly msg: string;
	readonly details: string;
}

/** A refusal with its CNI code. `details` tells why and how to fix it. */
export class CniError extends Error {
	override readonly name = 'CniError';
	readonly code: number;
	readonly details: string;

	constructor(code: number, message: string, details = '') {
		super(message);
		this.code = code;
		this.details = details;
	}
}

/** What may pass by itself, so that the runtime should try again. */
const transient: ReadonlySet<string> = new Set([
	'AGENT_NO_LEASE',
	'AGENT_NOT_INSTALLED',
	'AGENT_NO_CARRIER',
	'AGENT_OVS_BRIDGE',
	'OVSDB_DISCONNECTED',
	'KUBE_UNAVAILABLE',
	'ABORTED',
]);

const known: Readonly<Record<string, number>> = {
	AGENT_SANDBOX: cniCodes.unknownContainer,
	AGENT_MODE: cniCodes.notAvailable,
	AGENT_HOST_NETWORK: cniCodes.notAvailable,
};

/** The CNI error for anything that was thrown. */
export function toCniError(error: unknown): CniError {
	if (error instanceof CniError) return error;
	if (!isCoded(error)) return new CniError(cniCodes.io, messageOf(error));
	const code = known[error.code] ?? (transient.has(error.code) ? cniCodes.tryAgain : cniCodes.io);
	const { what, why, fix } = error.text;
	return new CniError(code, what, [sentence({ what: why ?? error.code, fix }), ...causes(error)].join('; '));
}

export function errorDocument(error: CniError, cniVersion: string): CniErrorDocument {
	return { cniVersion, code: error.code, msg: error.message, details: error.details };
}

function causes(error: Error): readonly string[] {
	return error.cause instanceof Error ? [messageOf(error.cause)] : [];
}
