import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { issueCertificate } from './certificate.ts';

/** PEM. */
export interface ServerIdentity {
	/** What clients trust. */
	readonly authority: string;
	readonly certificate: string;
	readonly key: string;
}

export interface ServerIdentityOptions {
	readonly commonName: string;
	/** DNS names and IP addresses. */
	readonly names: readonly string[];
	/** Milliseconds since the epoch. */
	readonly now: number;
}

const year = 365 * 86_400_000;
/** Clients whose clock is a little behind must not refuse a new certificate. */
const clockSkew = 3_600_000;

/** A certificate, and an authority that signed nothing else and whose key is forgotten: for a server that tells its clients whom to trust. */
export function createServerIdentity({ commonName, names, now }: ServerIdentityOptions): ServerIdentity {
	const [own, authority] = [newKey(), newKey()];
	const issuer = { commonName: `${commonName}-ca`, key: authority };
	const lifetime = { notBefore: now - clockSkew, notAfter: now + year };
	const made = (request: { readonly commonName: string; readonly key: KeyObject; readonly names?: readonly string[] }): string =>
		issueCertificate({ ...request, ...lifetime, serial: randomBytes(16), issuer });
	return {
		authority: made(issuer),
		certificate: made({ commonName, key: own, names }),
		key: own.export({ type: 'pkcs8', format: 'pem' }).toString(),
	};
}

function newKey(): KeyObject {
	return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}
