import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { createServerIdentity } from './server-identity.ts';

it('makes a certificate that only its own authority vouches for', () => {
	const identity = () => createServerIdentity({ commonName: 'hook', names: ['127.0.0.1', 'hook.ns.svc'], now: Date.UTC(2026, 0, 1) });
	const [one, two] = [identity(), identity()];
	const certificate = new X509Certificate(one.certificate);
	const authority = new X509Certificate(one.authority);
	expect(authority.ca).toBe(true);
	expect(certificate.checkIssued(authority)).toBe(true);
	expect(certificate.verify(authority.publicKey)).toBe(true);
	expect(certificate.verify(new X509Certificate(two.authority).publicKey)).toBe(false);
	expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
});
