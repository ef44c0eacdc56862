import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PluginRun {
	readonly status: number | null;
	readonly stdout: string;
}

export interface PluginHost extends Disposable {
	readonly name: string;
	/** Runs the plugin as a runtime does: with this environment and nothing else. */
	run(env: Readonly<Record<string, string>>, stdin: string): Promise<PluginRun>;
}

const here = join(import.meta.dirname, '..', 'plugin');

/** The C program, compiled for the occasion. */
export function nativePlugin(): PluginHost {
	const dir = mkdtempSync(join(tmpdir(), 'tapestry-plugin-'));
	const program = join(dir, 'kube-ovn');
	execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, join(here, 'kube-ovn.c')]);
	return {
		name: 'C',
		run: (env, stdin) => run([program], env, stdin),
		[Symbol.dispose]: () => rmSync(dir, { recursive: true }),
	};
}

export function nodePlugin(): PluginHost {
	return { name: 'Node', run: (env, stdin) => run([process.execPath, join(here, 'main.ts')], env, stdin), [Symbol.dispose]() {} };
}

function run(command: readonly string[], env: Readonly<Record<string, string>>, stdin: string): Promise<PluginRun> {
	const [program = '', ...args] = command;
	const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
	const chunks: Buffer[] = [];
	child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
	child.stdin.on('error', () => {});
	child.stdin.end(stdin);
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (status) => resolve({ status, stdout: Buffer.concat(chunks).toString() }));
	});
}
