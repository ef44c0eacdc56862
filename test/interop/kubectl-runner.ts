import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { stringify } from 'yaml';
import { startTestApiServer, type TestApiServer } from '../../packages/apiserver/src/testing/server.ts';
import { type Kubectl, kubectlBinaries } from '../../scripts/kubectl.ts';

export interface Result {
	readonly status: number;
	readonly stdout: string;
	readonly stderr: string;
}

export interface Runner {
	readonly version: string;
	/** Runs kubectl with the arguments, `input` on its standard input. */
	(args: readonly string[], input?: string): Promise<Result>;
	/** The same for what must succeed; returns what it printed. */
	ok(args: readonly string[], input?: string): Promise<string>;
	/** The object as JSON. */
	json<T = Record<string, unknown>>(args: readonly string[]): Promise<T>;
	/** Runs until the lines that it printed satisfy `done`, and returns them. */
	until(args: readonly string[], done: (lines: readonly string[]) => boolean, onStart: () => Promise<void>): Promise<readonly string[]>;
}

const binaries = await kubectlBinaries();

/** Declares the tests once for each kubectl, each time with an API server of its own. */
export function withEachKubectl(title: string, tests: (kubectl: Runner, kubeconfig: () => string) => void): void {
	describe.each(binaries)(`${title}, kubectl $version`, (binary) => {
		let server: TestApiServer;
		let home: string;
		beforeAll(async () => {
			home = await mkdtemp(join(tmpdir(), 'kubectl-home-'));
			server = await startTestApiServer({ execHint: 'use the other tool' });
		});
		afterAll(async () => {
			await server.close();
			await rm(home, { recursive: true, force: true });
		});
		tests(
			createRunner(binary, () => ({ HOME: home, KUBECONFIG: server.kubeconfig })),
			() => server.kubeconfig,
		);
	});
}

const deadline = 60_000;

function createRunner(binary: Kubectl, environment: () => Record<string, string>): Runner {
	const start = (args: readonly string[]) =>
		spawn(binary.path, args, { env: { PATH: process.env.PATH, ...environment() }, stdio: 'pipe', timeout: deadline });
	const run = (args: readonly string[], input = ''): Promise<Result> =>
		new Promise((resolve, reject) => {
			const child = start(args);
			let [stdout, stderr] = ['', ''];
			child.stdout.on('data', (chunk) => {
				stdout += chunk;
			});
			child.stderr.on('data', (chunk) => {
				stderr += chunk;
			});
			child.once('error', reject);
			child.once('close', (status) => resolve({ status: status ?? -1, stdout, stderr }));
			child.stdin.end(input);
		});
	const ok = async (args: readonly string[], input?: string): Promise<string> => {
		const { status, stdout, stderr } = await run(args, input);
		if (status !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${status}: ${stderr}${stdout}`);
		return stdout;
	};
	return Object.assign(run, {
		version: binary.version,
		ok,
		json: async <T>(args: readonly string[]) => JSON.parse(await ok([...args, '-o', 'json'])) as T,
		until(args: readonly string[], done: (lines: readonly string[]) => boolean, onStart: () => Promise<void>) {
			return new Promise<readonly string[]>((resolve, reject) => {
				const child = start(args);
				let text = '';
				let started = false;
				child.stdout.on('data', (chunk) => {
					text += chunk;
					const lines = text.split('\n').slice(0, -1);
					// The first output shows that the watch has begun.
					if (!started) onStart().catch(reject);
					started = true;
					if (!done(lines)) return;
					child.kill();
					resolve(lines);
				});
				child.once('error', reject);
				child.once('close', () => reject(new Error(`kubectl ${args.join(' ')} ended early: ${text}`)));
			});
		},
	});
}

/** One document out of several objects. */
export function manifest(...objects: readonly object[]): string {
	return objects.map((object) => stringify(object)).join('---\n');
}

export function pod(name: string, more: { readonly metadata?: object; readonly spec?: object } = {}): object {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, ...more.metadata },
		spec: { containers: [{ name: 'main', image: 'example/main:1' }], ...more.spec },
	};
}

export function configMap(name: string, data: Readonly<Record<string, string>>, metadata: object = {}): object {
	return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}
