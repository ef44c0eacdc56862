import { describe, expect, it } from 'vitest';
import { decodeCall, encodeCall } from './call.ts';
import { cniCodes } from './error.ts';
import { parseAttachment, parseCommand, parseConfig, requestedVersion } from './request.ts';

const env = { CNI_CONTAINERID: 'c1', CNI_NETNS: '/run/netns/x', CNI_IFNAME: 'eth0', CNI_ARGS: 'A=1;B=x=y' };
const required = { netnsRequired: true };

describe('a call', () => {
	it('survives the wire whatever the configuration holds', () => {
		const call = { env: { CNI_ARGS: 'A=ä;B=x=y', CNI_NETNS: '' }, stdin: '{"a":"\u0000"}\n' };
		expect(decodeCall(encodeCall(call))).toEqual(call);
	});

	it('is none when its environment does not end', () => {
		expect(decodeCall(Buffer.from('CNI_COMMAND=ADD\0CNI_NETNS=/x'))).toBeUndefined();
		expect(decodeCall(Buffer.alloc(0))).toBeUndefined();
	});
});

describe('the environment', () => {
	it('gives the attachment', () => {
		expect(parseAttachment({ env, stdin: '' }, required)).toEqual({
			containerId: 'c1',
			ifname: 'eth0',
			netns: '/run/netns/x',
			args: { A: '1', B: 'x=y' },
		});
		expect(parseAttachment({ env: { ...env, CNI_NETNS: '' }, stdin: '' }, { netnsRequired: false }).netns).toBe('');
	});

	it.each([
		{ CNI_CONTAINERID: '' },
		{ CNI_CONTAINERID: '../../etc' },
		{ CNI_IFNAME: '' },
		{ CNI_IFNAME: 'sixteen-letters-' },
		{ CNI_IFNAME: 'a/b' },
		{ CNI_IFNAME: '..' },
		{ CNI_IFNAME: 'ääääääää' },
		{ CNI_NETNS: '' },
		{ CNI_ARGS: 'novalue' },
	])('is refused with code 4 for %j', (change) => {
		expect(() => parseAttachment({ env: { ...env, ...change }, stdin: '' }, required)).toThrow(
			expect.objectContaining({ code: cniCodes.environment, message: expect.stringContaining(Object.keys(change)[0] ?? '') }),
		);
	});

	it.each([
		[{ deviceID: '0000:18:02.5', pciBusID: '0000:18:02.5' }, '0000:18:02.5'],
		[{ runtimeConfig: { deviceID: '0000:18:02.5' } }, '0000:18:02.5'],
		[{ deviceID: '' }, undefined],
		[{}, undefined],
	])('names in %j the device that Multus passes', (more, device) => {
		expect(parseConfig(JSON.stringify({ cniVersion: '1.0.0', name: 'n', ...more })).deviceId).toBe(device);
	});

	it('needs a known command', () => {
		expect(() => parseCommand({ env: {}, stdin: '' })).toThrow(expect.objectContaining({ code: cniCodes.environment }));
		expect(parseCommand({ env: { CNI_COMMAND: 'GC' }, stdin: '' })).toBe('GC');
	});
});

describe('the configuration', () => {
	it('has defaults for what is optional', () => {
		expect(parseConfig('{"name":"net"}')).toEqual({
			cniVersion: '0.1.0',
			name: 'net',
			provider: 'ovn',
			prevResult: undefined,
			validAttachments: [],
			disableGc: false,
		});
	});

	it.each([
		['', cniCodes.decode],
		['[]', cniCodes.decode],
		['{"cniVersion":"1.2.0","name":"net"}', cniCodes.incompatibleVersion],
		['{"cniVersion":"1.0.0"}', cniCodes.invalidConfig],
		['{"cniVersion":"1.0.0","name":"a b"}', cniCodes.invalidConfig],
		['{"cniVersion":"1.0.0","name":"net","prevResult":[]}', cniCodes.decode],
		['{"cniVersion":"1.1.0","name":"net","cni.dev/valid-attachments":[{"containerID":"c1"}]}', cniCodes.decode],
		['{"cniVersion":"1.1.0","name":"net","cni.dev/valid-attachments":{}}', cniCodes.decode],
	])('%s is refused with code %i', (stdin, code) => {
		expect(() => parseConfig(stdin)).toThrow(expect.objectContaining({ code }));
	});

	it('tells its version even when the rest is wrong', () => {
		expect(requestedVersion('{"cniVersion":"0.4.0"}')).toBe('0.4.0');
		expect(requestedVersion('{')).toBeUndefined();
	});
});
