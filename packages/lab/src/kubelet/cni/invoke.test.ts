import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFakePlugin } from '../testing/fake-plugin.ts';
import { type CniCall, cniInvoke } from './invoke.ts';
import { addToNetwork, removeFromNetwork } from './network.ts';

const directory = mkdtempSync(join(tmpdir(), 'cni-'));
afterAll(() => rmSync(directory, { recursive: true }));
const deps = { env: { PATH: process.env.PATH } };
const plugin = createFakePlugin(directory, 'fake');
const attachment = { containerId: 'abc', netns: '/proc/self/ns/net', ifname: 'eth0', args: { IgnoreUnknown: '1', K8S_POD_NAME: 'p' } };
const call: CniCall = {
	command: 'ADD',
	binDir: plugin.binDir,
	attachment,
	configuration: { cniVersion: '1.0.0', name: 'net', type: 'fake' },
};

/** A plugin that is the given shell script. */
function script(type: string, text: string): CniCall {
	const file = join(plugin.binDir, type);
	writeFileSync(file, `#!/bin/sh\n${text}\n`);
	chmodSync(file, 0o755);
	return { ...call, configuration: { ...call.configuration, type } };
}

describe('cniInvoke', () => {
	it('gives the plugin its variables and configuration, and its result back', async () => {
		const result = await cniInvoke(deps, call);
		expect(result?.ips?.map(({ address }) => address)).toEqual(['10.1.0.1/16', 'fd00:1::1/112']);
		expect(plugin.calls().at(-1)).toEqual({
			...{ command: 'ADD', containerId: 'abc', netns: '/proc/self/ns/net', ifname: 'eth0', args: 'IgnoreUnknown=1;K8S_POD_NAME=p' },
			configuration: call.configuration,
		});
	});

	it('has no result for a DEL', async () => {
		expect(await cniInvoke(deps, { ...call, command: 'DEL' })).toBeUndefined();
	});

	it("passes on the plugin's error and its code", async () => {
		plugin.failNext({ code: 11, msg: 'the lease is not there yet' });
		await expect(cniInvoke(deps, call)).rejects.toMatchObject({
			code: 'CNI_PLUGIN',
			message: 'the network plugin fake failed to ADD: the lease is not there yet',
			details: { code: 11 },
		});
	});

	it.each([
		['that is missing', { ...call, configuration: { ...call.configuration, type: 'none' } }, 'ENOENT'],
		['that says nothing', script('silent', 'exit 3'), 'it ended with status 3'],
		['that was killed', script('killed', 'kill -9 $$'), 'it ended with SIGKILL'],
		['that only writes to standard error', script('loud', 'echo no route >&2; exit 1'), 'no route'],
		['whose answer is not JSON', script('garbage', 'echo hello'), 'its answer is not JSON'],
	])('fails for a plugin %s', async (_, failing, why) => {
		await expect(cniInvoke(deps, failing)).rejects.toMatchObject({ code: 'CNI_PLUGIN', message: expect.stringContaining(why) });
	});

	it('ends the plugin when it is aborted', async () => {
		const abort = new AbortController();
		const hanging = cniInvoke(deps, { ...script('hanging', 'exec sleep 1000'), signal: abort.signal });
		abort.abort(new Error('enough'));
		await expect(hanging).rejects.toThrow('enough');
	});

	it('starts no plugin once it is aborted', async () => {
		// Of such a name the attempt to start it would be the error.
		const configuration = { ...call.configuration, type: 'none\0' };
		const invoked = cniInvoke(deps, { ...call, configuration, signal: AbortSignal.abort(new Error('enough')) });
		await expect(invoked).rejects.toThrow('enough');
	});
});

describe('a network with several plugins', () => {
	const network = {
		cniVersion: '1.0.0',
		name: 'net',
		plugins: [{ type: 'fake', first: true, capabilities: { bandwidth: true } }, { type: 'fake' }],
	};
	const options = { binDir: plugin.binDir, network, attachment };

	it('adds in order, each with the result before it, and deletes in reverse', async () => {
		const before = plugin.calls().length;
		const result = await addToNetwork(deps, options);
		await removeFromNetwork(deps, options, result);
		const seen = plugin
			.calls()
			.slice(before)
			.map(({ command, configuration }) => ({ command, ...configuration }));
		const common = { cniVersion: '1.0.0', name: 'net', type: 'fake' };
		const previous = seen[1]?.prevResult as typeof result | undefined;
		expect(previous?.ips?.[0]?.address).toBe(`10.1.0.${before + 1}/16`);
		expect(seen).toEqual([
			{ command: 'ADD', ...common, first: true },
			{ command: 'ADD', ...common, prevResult: expect.anything() },
			{ command: 'DEL', ...common, prevResult: result },
			{ command: 'DEL', ...common, first: true, prevResult: result },
		]);
	});
});
