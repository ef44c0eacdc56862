import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadCredentials } from './credentials.ts';

let directory: string;
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'pki-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('keeps the authority and the token, and makes the certificate anew', () => {
	const first = loadCredentials(directory, ['localhost'], Date.now());
	const second = loadCredentials(directory, ['localhost', 'more'], Date.now());
	expect(second.authority).toBe(first.authority);
	expect(second.token).toBe(first.token);
	expect(new X509Certificate(second.certificate).subjectAltName).toBe('DNS:localhost, DNS:more');
	expect(new X509Certificate(second.certificate).verify(new X509Certificate(first.authority).publicKey)).toBe(true);
});

it('lets nobody else read the key and the token', () => {
	loadCredentials(directory, [], Date.now());
	for (const name of ['ca.key', 'token']) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
});

it('starts over when its first start was interrupted', () => {
	loadCredentials(directory, [], Date.now());
	rmSync(join(directory, 'ca.crt'));
	const { authority, certificate } = loadCredentials(directory, [], Date.now());
	expect(new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey)).toBe(true);
});
