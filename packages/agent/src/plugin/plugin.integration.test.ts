import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginAnswer, PluginCall } from '../cni/call.ts';
import { serveCni } from '../cni/server.ts';
import { nativePlugin, nodePlugin } from '../testing/plugin-hosts.ts';

const dir = mkdtempSync(join(tmpdir(), 'tapestry-cni-'));
const socket = join(dir, 'agent.sock');
const calls: PluginCall[] = [];
let answer: PluginAnswer = { ok: true, body: '' };
let server: AsyncDisposable;
const hosts = [nativePlugin(), nodePlugin()];

beforeAll(async () => {
	server = await serveCni(
		{
			log: silentLogger,
			pages: { '/ports': () => ({ type: 'application/json', body: '[]' }) },
			handle: async (call) => {
				calls.push(call);
				return answer;
			},
		},
		{ path: socket },
	);
});
afterAll(async () => {
	await server[Symbol.asyncDispose]();
	for (const host of hosts) host[Symbol.dispose]();
	rmSync(dir, { recursive: true });
});

const env = (command: string) => ({
	CNI_COMMAND: command,
	CNI_CONTAINERID: 'c0ffee',
	CNI_NETNS: '/run/netns/x',
	CNI_IFNAME: 'eth0',
	CNI_ARGS: 'K8S_POD_NAME=a=b;IgnoreUnknown=1',
	CNI_PATH: '/opt/cni/bin',
});
const config = (path: string, more: Record<string, unknown> = {}) =>
	JSON.stringify({ cniVersion: '1.0.0', name: 'n', type: 'kube-ovn', server_socket: path, ...more });

/** A peer that does something else than answer. */
async function rawServer(onConnection: (peer: Socket) => void): Promise<{ readonly path: string; readonly server: Server }> {
	const path = join(dir, `raw-${Math.random()}.sock`);
	const raw = createServer((peer) => {
		peer.on('error', () => {});
		onConnection(peer);
	});
	await new Promise<void>((resolve) => raw.listen(path, resolve));
	return { path, server: raw };
}

describe.each(hosts)('the plugin in $name', (host) => {
	it('hands over environment and standard input and prints the answer with its exit status', async () => {
		calls.length = 0;
		answer = { ok: true, body: '{"cniVersion":"1.0.0","ips":[]}' };
		const stdin = config(socket, { text: 'ä"\\ \u0000' });
		expect(await host.run({ ...env('ADD'), HOME: '/root' }, stdin)).toEqual({ status: 0, stdout: answer.body });
		expect(calls).toEqual([{ env: env('ADD'), stdin }]);
		answer = { ok: false, body: '{"code":7}' };
		expect(await host.run(env('CHECK'), stdin)).toEqual({ status: 1, stdout: '{"code":7}' });
	});

	it('passes configurations and answers of any size', async () => {
		answer = { ok: true, body: JSON.stringify({ large: 'x'.repeat(3_000_000) }) };
		const stdin = config(socket, { large: 'y'.repeat(2_000_000) });
		calls.length = 0;
		const result = await host.run(env('GC'), stdin);
		expect(result.stdout).toBe(answer.body);
		expect(calls[0]?.stdin).toBe(stdin);
	});

	it('answers VERSION by itself, in the version that was asked', async () => {
		const result = await host.run({ CNI_COMMAND: 'VERSION' }, '{"cniVersion":"0.4.0"}');
		expect(result.status).toBe(0);
		expect(JSON.parse(result.stdout)).toEqual({
			cniVersion: '0.4.0',
			supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
		});
	});

	it.each([
		['ADD', 11],
		['DEL', 11],
		['STATUS', 50],
	])('fails %s with code %i while there is no agent', async (command, code) => {
		const result = await host.run(env(command), config(join(dir, 'none.sock')));
		expect(result.status).toBe(1);
		expect(JSON.parse(result.stdout)).toMatchObject({ cniVersion: '1.0.0', code, msg: 'the network agent of this node does not answer' });
	});

	it.each([
		['ends without a word', (peer: Socket) => peer.destroy()],
		['ends in the middle of its answer', (peer: Socket) => peer.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ips":[')],
		['is something else', (peer: Socket) => peer.end('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno')],
	])('fails with code 11 and prints nothing half when the agent %s', async (_, behave) => {
		const { path, server: raw } = await rawServer((peer) => peer.once('data', () => behave(peer)));
		const result = await host.run(env('ADD'), config(path));
		raw.close();
		expect(result.status).toBe(1);
		expect(JSON.parse(result.stdout)).toMatchObject({ code: 11 });
	});

	it('asks the default socket when the configuration cannot be read', async () => {
		const result = JSON.parse((await host.run(env('ADD'), '{"server_socket": ')).stdout);
		expect(result).toMatchObject({
			cniVersion: '1.1.0',
			code: 11,
			details: expect.stringContaining('/run/openvswitch/kube-ovn-daemon.sock'),
		});
	});
});
