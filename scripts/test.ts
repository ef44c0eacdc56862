import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkMachine, installPackages, missingPackages } from '@tapestry/lab';
import { skips } from '../test/skips.ts';

/** `npm test`: set-up, then the stages, fastest first. `--stage NAME` (repeatable) runs only some; `--set-up-only` stops before the first. */
const { values, positionals } = parseArgs({
	options: { stage: { type: 'string', multiple: true }, 'set-up-only': { type: 'boolean', default: false } },
	allowPositionals: true,
});
const root = join(import.meta.dirname, '..');
const results = join(root, '.cache', 'test');

interface Assertion {
	readonly fullName: string;
	readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled';
	readonly duration?: number;
}
interface Report {
	readonly testResults: readonly { readonly name: string; readonly status: string; readonly assertionResults: readonly Assertion[] }[];
}
interface Stage {
	readonly name: string;
	readonly run: () => Promise<boolean>;
}

const reports: Assertion[] = [];
let failures = '';
const stages: readonly Stage[] = [
	{ name: 'types', run: () => command('tsc', ['-b']) },
	{ name: 'lint', run: () => command('biome', ['check', '--error-on-warnings', '.']) },
	{ name: 'generated', run: generatedIsFresh },
	{ name: 'structure', run: () => vitest('structure') },
	{ name: 'unit', run: () => vitest('unit', positionals) },
	{ name: 'integration', run: () => vitest('integration', positionals) },
	{ name: 'e2e', run: () => vitest('e2e', positionals) },
];
const checks = ['types', 'lint', 'generated', 'structure'];

await setUp();
if (!values['set-up-only']) process.exitCode = (await runStages()) ? 0 : 1;

async function setUp(): Promise<void> {
	const deps = { env: process.env };
	checkMachine(deps);
	const missing = missingPackages(deps);
	if (missing.length > 0) process.stdout.write(`set-up: installing ${missing.map(({ name }) => name).join(' ')}\n`);
	await timed('set-up', async () => {
		await installPackages(deps, missing);
		return true;
	});
}

async function runStages(): Promise<boolean> {
	const wanted = (values.stage ?? stages.map(({ name }) => name)).flatMap((name) => (name === 'check' ? checks : [name]));
	const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
	if (unknown.length > 0) {
		process.stderr.write(
			`no stage ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')} and check (${checks.join(', ')})\n`,
		);
		return false;
	}
	rmSync(results, { recursive: true, force: true });
	mkdirSync(results, { recursive: true });
	const lines: string[] = [];
	let green = true;
	for (const { name, run } of stages.filter((stage) => wanted.includes(stage.name))) {
		const { ok, seconds } = await timed(name, run);
		lines.push(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(12)} ${seconds.padStart(7)} s`);
		green &&= ok;
		// A later stage stands on the earlier ones.
		if (!ok) break;
	}
	const slowest = [...reports].sort((a, b) => (b.duration ?? 0) - (a.duration ?? 0)).slice(0, 10);
	const skipped = reports.filter(({ status }) => status !== 'passed' && status !== 'failed');
	const unlisted = skipped.filter(({ fullName }) => !(fullName in skips));
	for (const { fullName } of unlisted) lines.push(`FAILED  skipped without a reason in test/skips.ts: ${fullName}`);
	if (slowest.length > 0)
		lines.push(
			'',
			'slowest tests:',
			...slowest.map(({ fullName, duration }) => `${((duration ?? 0) / 1000).toFixed(1).padStart(7)} s  ${fullName}`),
		);
	if (failures) lines.push('', 'failed:', failures.trimEnd());
	const count = (status: string) => reports.filter((assertion) => assertion.status === status).length;
	lines.push('', `${count('passed')} passed, ${count('failed')} failed, ${skipped.length} skipped`);
	process.stdout.write(`\n${lines.join('\n')}\n`);
	return green && unlisted.length === 0;
}

async function timed(name: string, work: () => Promise<boolean>): Promise<{ readonly ok: boolean; readonly seconds: string }> {
	process.stdout.write(`\n== ${name}\n`);
	const start = performance.now();
	const ok = await work();
	return { ok, seconds: ((performance.now() - start) / 1000).toFixed(1) };
}

async function command(program: string, args: readonly string[]): Promise<boolean> {
	const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
	const [status] = (await once(child, 'exit')) as [number | null];
	return status === 0;
}

async function vitest(project: string, files: readonly string[] = []): Promise<boolean> {
	const file = join(results, `${project}.json`);
	const told = join(results, `${project}-failures.txt`);
	const reporters = [
		...['--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
		...['--reporter=./test/failures-reporter.ts', `--outputFile.failures=${told}`],
	];
	const ok = await command('vitest', ['run', '--project', project, ...reporters, ...files]);
	if (existsSync(file)) {
		const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
		reports.push(...report.testResults.flatMap(({ assertionResults }) => assertionResults));
	}
	if (existsSync(told)) failures += readFileSync(told, 'utf8');
	return ok;
}

/** What is generated from code must not lag behind it. */
async function generatedIsFresh(): Promise<boolean> {
	for (const script of ['generate-kinds-docs.ts', 'generate-errors-docs.ts']) {
		if (!(await command(process.execPath, [join(root, 'scripts', script), '--check']))) return false;
	}
	return true;
}
