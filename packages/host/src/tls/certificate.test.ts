import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CertificateRequest, issueCertificate } from './certificate.ts';

const key = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const authorityKey = key();
const issuer = { commonName: 'authority', key: authorityKey };
const request = (more: Partial<CertificateRequest> = {}): CertificateRequest => ({
	commonName: 'authority',
	key: authorityKey,
	serial: Buffer.from('80ff', 'hex'),
	notBefore: Date.UTC(2026, 0, 1),
	notAfter: Date.UTC(2060, 0, 1),
	issuer,
	...more,
});

describe('issueCertificate', () => {
	const authority = new X509Certificate(issueCertificate(request()));
	const names = ['localhost', 'kubernetes.default.svc', '127.0.0.1', 'fd00::1'];
	const server = new X509Certificate(issueCertificate(request({ commonName: 'server', key: key(), names })));

	it('makes an authority that signs itself', () => {
		expect(authority.ca).toBe(true);
		expect(authority.subject).toBe('CN=authority');
		expect(authority.checkIssued(authority)).toBe(true);
		expect(authority.verify(authority.publicKey)).toBe(true);
		expect(authority.serialNumber).toBe('80FF');
	});

	it('makes a server that the authority vouches for', () => {
		expect(server.ca).toBe(false);
		expect(server.checkIssued(authority)).toBe(true);
		expect(server.verify(authority.publicKey)).toBe(true);
		expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
		expect(server.subjectAltName).toBe('DNS:localhost, DNS:kubernetes.default.svc, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:1');
		expect(server.checkHost('localhost')).toBe('localhost');
		expect(server.checkIP('fd00::1')).toBe('fd00::1');
		expect(server.checkHost('example.com')).toBeUndefined();
	});

	it('writes dates on both sides of 2050', () => {
		expect(new Date(authority.validFrom)).toEqual(new Date(Date.UTC(2026, 0, 1)));
		expect(new Date(authority.validTo)).toEqual(new Date(Date.UTC(2060, 0, 1)));
	});
});
