import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { ipToBytes, parseIp } from '@tapestry/base';
import { bits, bool, explicit, implicit, integer, octets, oid, sequence, set, time, utf8 } from './der.ts';

export interface CertificateRequest {
	readonly commonName: string;
	/** P-256. Its public part goes into the certificate. */
	readonly key: KeyObject;
	readonly serial: Uint8Array;
	/** Milliseconds since the epoch. */
	readonly notBefore: number;
	readonly notAfter: number;
	/** A server's: DNS names and IP addresses. Absent for an authority. */
	readonly names?: readonly string[];
	readonly issuer: { readonly commonName: string; readonly key: KeyObject };
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** An X.509 v3 certificate (RFC 5280) in PEM: of an authority, or of a TLS server when `names` are given. */
export function issueCertificate(request: CertificateRequest): string {
	const publicKey = createPublicKey(request.key).export({ type: 'spki', format: 'der' });
	const issuerKey = createPublicKey(request.issuer.key).export({ type: 'spki', format: 'der' });
	const body = sequence(
		explicit(0, integer(Buffer.from([2]))),
		integer(request.serial),
		ecdsaWithSha256,
		nameOf(request.issuer.commonName),
		sequence(time(request.notBefore), time(request.notAfter)),
		nameOf(request.commonName),
		publicKey,
		explicit(3, sequence(...extensionsOf(request.names), ...keyIdentifiers(publicKey, issuerKey))),
	);
	const signature = sign('sha256', body, { key: request.issuer.key, dsaEncoding: 'der' });
	const base64 = sequence(body, ecdsaWithSha256, bits(signature)).toString('base64');
	return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string): Buffer {
	return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
	return critical ? sequence(oid(id), bool(true), octets(value)) : sequence(oid(id), octets(value));
}

// KeyUsage bits count from the most significant one (RFC 5280 section 4.2.1.3).
const signsCertificates = bits(Buffer.from([0b0000_0110]), 1);
const signsHandshakes = bits(Buffer.from([0b1000_0000]), 7);

function extensionsOf(names: readonly string[] | undefined): Buffer[] {
	if (!names) return [extension('2.5.29.19', true, sequence(bool(true))), extension('2.5.29.15', true, signsCertificates)];
	return [
		extension('2.5.29.19', true, sequence()),
		extension('2.5.29.15', true, signsHandshakes),
		extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
		extension('2.5.29.17', false, sequence(...names.map(generalName))),
	];
}

function generalName(name: string): Buffer {
	const ip = parseIp(name);
	return ip ? implicit(7, ipToBytes(ip)) : implicit(2, Buffer.from(name));
}

/** Go's verifier picks the issuer by these when names repeat, as they do after an authority was made anew. */
function keyIdentifiers(subject: Buffer, issuer: Buffer): Buffer[] {
	return [extension('2.5.29.14', false, octets(keyHash(subject))), extension('2.5.29.35', false, sequence(implicit(0, keyHash(issuer))))];
}

function keyHash(spki: Buffer): Buffer {
	return createHash('sha256').update(spki).digest().subarray(0, 20);
}
