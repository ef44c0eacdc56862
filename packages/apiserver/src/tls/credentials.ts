import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificate } from '@tapestry/host';

export interface Credentials {
	/** PEM. */
	readonly authority: string;
	readonly certificate: string;
	readonly key: string;
	/** The bearer token of the administrator. */
	readonly token: string;
}

const commonName = 'embedded-kubernetes-ca';
const year = 365 * 86_400_000;
/** Clients whose clock is a little behind must not refuse a new certificate. */
const clockSkew = 3_600_000;

/**
 * The authority and the token are made once and kept in `directory`, so that clients' kubeconfigs survive a restart. The server's
 * certificate is made at each start for the names it has then.
 */
export function loadCredentials(directory: string, names: readonly string[], now: number): Credentials {
	mkdirSync(directory, { recursive: true, mode: 0o700 });
	const paths = { key: join(directory, 'ca.key'), certificate: join(directory, 'ca.crt'), token: join(directory, 'token') };
	// The certificate is written last: what an interrupted first start left is made again.
	if (!existsSync(paths.certificate)) {
		const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
		const issuer = { commonName, key: privateKey };
		const lifetime = { notBefore: now - clockSkew, notAfter: now + 10 * year };
		writePrivate(paths.token, randomBytes(32).toString('hex'));
		writePrivate(paths.key, pem(privateKey));
		writePrivate(paths.certificate, issueCertificate({ commonName, key: privateKey, serial: randomBytes(16), ...lifetime, issuer }));
	}
	const issuer = { commonName, key: createPrivateKey(readFileSync(paths.key)) };
	const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const certificate = issueCertificate({
		commonName: 'kubernetes',
		key: privateKey,
		serial: randomBytes(16),
		notBefore: now - clockSkew,
		notAfter: now + year,
		names,
		issuer,
	});
	return {
		authority: readFileSync(paths.certificate, 'utf8'),
		certificate,
		key: pem(privateKey),
		token: readFileSync(paths.token, 'utf8'),
	};
}

function pem(key: KeyObject): string {
	return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Whole or not at all, and never readable by others. */
export function writePrivate(path: string, content: string): void {
	writeFileSync(`${path}.part`, content, { mode: 0o600 });
	renameSync(`${path}.part`, path);
}
