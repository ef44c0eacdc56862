import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRawClient, type RawClient } from './testing/client.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
let directory: string;
let server: ChildProcess | undefined;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'crash-'));
});
afterEach(async () => {
	await kill();
	rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<RawClient> {
	const kubeconfig = join(directory, 'kubeconfig');
	const flags = [
		'--data',
		join(directory, 'data'),
		'--listen',
		'127.0.0.1:0',
		'--kubeconfig-out',
		kubeconfig,
		'--ready-fd',
		'3',
		'--log-level',
		'warn',
	];
	const argv = ['--pdeathsig', 'KILL', process.execPath, join(import.meta.dirname, 'main.ts'), ...flags];
	server = spawn('setpriv', argv, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
	const ended = once(server, 'exit').then(() => Promise.reject(new Error('the server ended before it was ready')));
	ended.catch(() => {});
	await Promise.race([once(server.stdio[3] as Readable, 'data'), ended]);
	return createRawClient(readFileSync(kubeconfig, 'utf8'));
}

async function kill(): Promise<void> {
	const exited = server && once(server, 'exit');
	if (server?.kill('SIGKILL')) await exited;
}

it('loses nothing that it acknowledged when it is killed in the middle of writes', async () => {
	/** What the server has said is stored: the newest value of each object, or undefined once it is deleted. */
	const acknowledged = new Map<string, string | undefined>();
	/** Writes that were under way may or may not have happened. */
	const unknown = new Set<string>();
	let next = 0;
	let enough = 0;
	let isEnough = Promise.withResolvers<void>();
	const acknowledge = (name: string, value: string | undefined): void => {
		acknowledged.set(name, value);
		if (acknowledged.size >= enough) isEnough.resolve();
	};

	const writeUntilKilled = async (client: RawClient): Promise<void> => {
		for (;;) {
			const name = `object-${next++}`;
			unknown.add(name);
			try {
				const created = await client.send('POST', configMaps, { body: { metadata: { name }, data: { value: 'created' } } });
				if (created.status !== 201) throw new Error(created.text);
				acknowledge(name, 'created');
				const headers = { 'content-type': 'application/merge-patch+json' };
				await client.send('PATCH', `${configMaps}/${name}`, { body: { data: { value: 'patched' } }, headers });
				acknowledge(name, 'patched');
				if (next % 3 === 0) {
					await client.send('DELETE', `${configMaps}/${name}`);
					acknowledge(name, undefined);
				}
				unknown.delete(name);
			} catch {
				return;
			}
		}
	};

	let newest = 0;
	for (let life = 0; life < 3; life++) {
		const client = await start();
		enough = acknowledged.size + 150;
		isEnough = Promise.withResolvers();
		const writers = Promise.all(Array.from({ length: 8 }, () => writeUntilKilled(client)));
		await Promise.race([isEnough.promise, writers]);
		await kill();
		await writers;
		client[Symbol.dispose]();

		const reader = await start();
		const list = await reader.send('GET', configMaps);
		const items = list.body.items as { metadata: { name: string; resourceVersion: string }; data: { value: string } }[];
		const values = new Map(items.map(({ metadata, data }) => [metadata.name, data.value]));
		for (const [name, value] of acknowledged) {
			if (!unknown.has(name)) expect([name, values.get(name)]).toEqual([name, value]);
			else if (value === 'created') expect(values.has(name)).toBe(true);
		}
		for (const name of values.keys()) expect(acknowledged.has(name) || unknown.has(name)).toBe(true);
		const { resourceVersion } = list.body.metadata as { resourceVersion: string };
		expect(Number(resourceVersion)).toBeGreaterThan(newest);
		newest = Number(resourceVersion);
		await kill();
		reader[Symbol.dispose]();
	}
	expect(acknowledged.size).toBeGreaterThanOrEqual(450);
});
