import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
	callbackPath,
	callGrpc,
	hookVersions,
	infoPath,
	readCloudInit,
	readDefineDomain,
	readInfo,
	systemClock,
	writeCloudInit,
	writeDefineDomain,
} from '@tapestry/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const vmi = JSON.stringify({
	metadata: { name: 'vm', namespace: 'ns', uid: 'u' },
	spec: {
		domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'fast' } }] } },
		networks: [{ name: 'default', pod: {} }],
	},
});
/** Of a machine whose NIC is another plugin's. */
const foreign = vmi.replace('"fast"', '"passt"');
const oddXml = "\ufeff<domain  type='kvm'>\r\n <name>ns_vm</name><!-- é -->\t<devices/>\n</domain >\n\n";
const domain = '<domain>\n\t<name>ns_vm</name>\n\t<devices>\n\t</devices>\n</domain>';

describe('the hook sidecar', () => {
	let directory: string;
	let sidecar: ChildProcess;
	let socket: string;
	const call = (path: string, message: Uint8Array = new Uint8Array()) =>
		callGrpc(systemClock, { socket, path, message, timeoutMs: 20_000 });
	const start = async (container: string): Promise<ChildProcess> => {
		const main = fileURLToPath(new URL('./main.ts', import.meta.url));
		const flags = [
			`--sockets=${directory}`,
			`--network-info=${join(directory, 'info', 'network-info')}`,
			'--ready-fd=3',
			'--log-level=error',
		];
		const env = { ...process.env, CONTAINER_NAME: container, NETWORK_BINDING_PLUGIN_NAME: 'fast' };
		const child = spawn(process.execPath, [main, ...flags], { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
		await once(child.stdio[3] as Readable, 'data');
		return child;
	};
	beforeAll(async () => {
		directory = mkdtempSync(join(tmpdir(), 'hooks-'));
		sidecar = await start('hook-sidecar-0');
		socket = join(directory, 'hook-sidecar-0-tapestry.sock');
	});
	afterAll(() => {
		sidecar.kill('SIGKILL');
		rmSync(directory, { recursive: true, force: true });
	});

	it('tells who it is', async () => {
		expect(readInfo(await call(infoPath))).toEqual({
			name: 'tapestry',
			hookPoints: [
				{ name: 'OnDefineDomain', priority: 0 },
				{ name: 'Shutdown', priority: 0 },
			],
			versions: ['v1alpha3', 'v1alpha2', 'v1alpha1'],
		});
	});

	it.each(hookVersions)('changes the domain by %s, three times as once', async (version) => {
		const define = async (xml: string): Promise<string> => {
			const message = writeDefineDomain({ domain: Buffer.from(xml), vmi: Buffer.from(vmi) });
			return Buffer.from(readDefineDomain(await call(callbackPath(version, 'OnDefineDomain'), message)).domain).toString();
		};
		const once = await define(domain);
		expect(once).toContain('<target dev="tap0" managed="no">');
		expect(await define(await define(once))).toBe(once);
	});

	it.each(hookVersions)('gives back the domain of a machine that does not use it, byte by byte, by %s', async (version) => {
		const message = writeDefineDomain({ domain: Buffer.from(oddXml), vmi: Buffer.from(foreign) });
		const answer = readDefineDomain(await call(callbackPath(version, 'OnDefineDomain'), message));
		expect(Buffer.from(answer.domain)).toEqual(Buffer.from(oddXml));
	});

	it('gives cloud-init data back as they came', async () => {
		const message = writeCloudInit({ noCloudSource: Buffer.from('{"a":1}'), data: Buffer.from('{"b":2}'), vmi: Buffer.from(vmi) });
		for (const version of ['v1alpha2', 'v1alpha3'] as const) {
			const { noCloudSource, data } = readCloudInit(await call(callbackPath(version, 'PreCloudInitIso'), message));
			expect([noCloudSource, data].map((bytes) => Buffer.from(bytes).toString())).toEqual(['{"a":1}', '{"b":2}']);
		}
		await expect(call(callbackPath('v1alpha1', 'PreCloudInitIso'), message)).rejects.toMatchObject({ details: { status: 12 } });
	});

	it.each<[string, Uint8Array, number, string]>([
		['a message that is no protobuf', Buffer.from('0a80', 'hex'), 3, 'a message cannot be read'],
		["another machine's XML", writeDefineDomain({ domain: Buffer.from('<domain/>'), vmi: Buffer.from(vmi) }), 3, 'it is not about ns_vm'],
		['no instance', writeDefineDomain({ domain: Buffer.from(domain), vmi: Buffer.from('{') }), 3, 'this is no VirtualMachineInstance'],
		['bytes that are no text', writeDefineDomain({ domain: Buffer.from([0xff]), vmi: Buffer.from(vmi) }), 3, 'a text is not UTF-8'],
		['a message that is too long', Buffer.alloc((4 << 20) + 1), 8, 'the message is longer than 4194304 bytes'],
	])('refuses %s, and goes on', async (_, message, status, why) => {
		const path = callbackPath('v1alpha3', 'OnDefineDomain');
		await expect(call(path, message)).rejects.toMatchObject({ details: { status }, text: { why: expect.stringContaining(why) } });
		expect(readInfo(await call(infoPath)).name).toBe('tapestry');
	});

	it('survives clients that speak badly', async () => {
		await expect(call('/kubevirt.hooks.info.Info/Nothing')).rejects.toMatchObject({ details: { status: 12 } });
		const raw = connectSocket(socket).end('GET / HTTP/1.1\r\n\r\n');
		await once(raw.resume(), 'close');
		const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
		const send = async (body: Buffer): Promise<unknown> => {
			const stream = session.request({ ':method': 'POST', ':path': infoPath, 'content-type': 'application/grpc' });
			stream.end(body);
			const [headers] = await once(stream, 'response');
			stream.resume();
			return headers['grpc-status'];
		};
		// No prefix; a compressed message; more announced than sent.
		expect(await send(Buffer.alloc(0))).toBe('13');
		expect(await send(Buffer.from('0100000000', 'hex'))).toBe('12');
		expect(await send(Buffer.from('0000000009', 'hex'))).toBe('13');
		session.destroy();
		expect(readInfo(await call(infoPath)).name).toBe('tapestry');
	});

	it('ends with the machine, and has a socket of its own beside others', async () => {
		const other = await start('hook-sidecar-1');
		expect(readdirSync(directory).sort()).toEqual(['hook-sidecar-0-tapestry.sock', 'hook-sidecar-1-tapestry.sock']);
		const path = callbackPath('v1alpha3', 'Shutdown');
		const exited = once(other, 'exit');
		await callGrpc(systemClock, {
			socket: join(directory, 'hook-sidecar-1-tapestry.sock'),
			path,
			message: new Uint8Array(),
			timeoutMs: 20_000,
		});
		expect(await exited).toEqual([0, null]);
		expect(existsSync(socket)).toBe(true);
	});
});

describe("sidecar-shim's programs", () => {
	const run = (name: string, ...args: string[]) => {
		const path = fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));
		return promisify(execFile)(process.execPath, [path, ...args], { env: { ...process.env, NETWORK_BINDING_PLUGIN_NAME: 'fast' } });
	};

	it('write what the hook makes of it', async () => {
		const { stdout } = await run('onDefineDomain', '--vmi', vmi, '--domain', domain);
		expect(stdout).toContain('<target dev="tap0" managed="no">');
		expect(stdout.endsWith('</domain>')).toBe(true);
		expect((await run('onDefineDomain', '--vmi', foreign, '--domain', oddXml)).stdout).toBe(oddXml);
		expect((await run('preCloudInitIso', '--vmi', vmi, '--cloud-init', '{"a": 1}')).stdout).toBe('{"a": 1}');
	});

	it('fail with a reason and without output', async () => {
		await expect(run('onDefineDomain', '--vmi', vmi, '--domain', '<x/>')).rejects.toMatchObject({
			code: 1,
			stdout: '',
			stderr: expect.stringContaining('its root element is <x>'),
		});
		await expect(run('onDefineDomain', '--vmi', vmi)).rejects.toMatchObject({ stderr: expect.stringContaining('--domain is missing') });
	});
});
