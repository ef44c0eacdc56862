import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError } from '@tapestry/base';

/** Starts programs. `env` is the whole environment that they get. */
export interface ProcessDeps {
	readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Command {
	/** Program and arguments. */
	readonly argv: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly input?: string;
	readonly signal?: AbortSignal;
	/** Give up after this many milliseconds. @default 60000 */
	readonly timeoutMs?: number;
}

export interface CommandResult {
	readonly status: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a command to its end and gives back its status and output, whatever the status is. */
export async function execute(deps: ProcessDeps, command: Command): Promise<CommandResult> {
	const [program, ...args] = command.argv;
	if (!program) throw new CodedError('LAB_COMMAND', 'an empty command cannot be run');
	// Node starts the program first and then looks at the signal.
	command.signal?.throwIfAborted();
	const deadline = AbortSignal.timeout(command.timeoutMs ?? 60_000);
	const child = spawn(program, args, {
		env: { ...deps.env, ...command.env },
		stdio: ['pipe', 'pipe', 'pipe'],
		signal: command.signal ? AbortSignal.any([command.signal, deadline]) : deadline,
		killSignal: 'SIGKILL',
	});
	const stdout: Buffer[] = [];
	const stderr: Buffer[] = [];
	child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
	child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
	// A child that ends without reading its input must not take us down.
	child.stdin.on('error', () => {});
	child.stdin.end(command.input ?? '');
	try {
		const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
		return {
			status: status ?? 128 + (signal === 'SIGKILL' ? 9 : 15),
			stdout: Buffer.concat(stdout).toString(),
			stderr: Buffer.concat(stderr).toString(),
		};
	} catch (cause) {
		throw startFailure(program, cause, Buffer.concat(stderr).toString());
	}
}

/** Runs a command that has to succeed; its standard output. @throws LAB_COMMAND with the command's own words */
export async function run(deps: ProcessDeps, argv: readonly string[], options: Omit<Command, 'argv'> = {}): Promise<string> {
	const result = await execute(deps, { argv, ...options });
	if (result.status === 0) return result.stdout;
	throw new CodedError(
		'LAB_COMMAND',
		{ what: `${argv.join(' ')} failed`, why: lastLines(result.stderr || result.stdout, 5) || `exit status ${result.status}` },
		{ details: { argv, status: result.status } },
	);
}

export interface Daemon {
	readonly name: string;
	readonly argv: readonly string[];
	/** Receives standard output and standard error. */
	readonly logFile: string;
	readonly env?: Readonly<Record<string, string>>;
	/** `line`: writes a line to descriptor 3 when it serves (runProgram's --ready-fd). `exit`: the command detaches by itself and its end means ready. `none`: ready when started. */
	readonly readiness: 'line' | 'exit' | 'none';
	readonly signal?: AbortSignal;
	/** @default 60000 */
	readonly timeoutMs?: number;
}

/** Starts a program that outlives us, in a session of its own; resolves with its pid when it is ready; one that does not get ready is ended. @throws LAB_DAEMON with the end of its log */
export async function startDaemon(deps: ProcessDeps, daemon: Daemon): Promise<number> {
	const [program, ...args] = daemon.argv;
	if (!program) throw new CodedError('LAB_COMMAND', 'an empty command cannot be run');
	daemon.signal?.throwIfAborted();
	mkdirSync(dirname(daemon.logFile), { recursive: true });
	const log = openSync(daemon.logFile, 'a');
	const child = spawn(program, args, {
		detached: true,
		env: { ...deps.env, ...daemon.env },
		stdio: ['ignore', log, log, 'pipe'],
	});
	closeSync(log);
	try {
		await readiness(child, daemon);
	} catch (cause) {
		child.kill('SIGKILL');
		release(child);
		throw new CodedError(
			'LAB_DAEMON',
			{ what: `${daemon.name} did not start`, why: lastLines(tail(daemon.logFile), 5), fix: `see ${daemon.logFile}` },
			{ cause, details: { argv: daemon.argv } },
		);
	}
	release(child);
	return child.pid ?? 0;
}

/** Lets us end before the child does. */
function release(child: ChildProcess): void {
	child.unref();
	for (const stream of child.stdio) (stream as { unref?: () => void } | null)?.unref?.();
}

async function readiness(child: ChildProcess, daemon: Daemon): Promise<void> {
	const deadline = AbortSignal.timeout(daemon.timeoutMs ?? 60_000);
	const signal = daemon.signal ? AbortSignal.any([daemon.signal, deadline]) : deadline;
	const started = once(child, 'spawn', { signal });
	const ended = once(child, 'exit', { signal }).then(([status]) => {
		if (daemon.readiness !== 'exit' || status !== 0) throw new CodedError('LAB_DAEMON', `${daemon.name} ended with status ${status}`);
	});
	ended.catch(() => {});
	await started;
	if (daemon.readiness === 'exit') return ended;
	if (daemon.readiness === 'none') return;
	const pipe = child.stdio[3];
	if (!pipe || !('on' in pipe)) throw new CodedError('LAB_DAEMON', `${daemon.name} has no readiness pipe`);
	await Promise.race([once(pipe, 'data', { signal }), ended]);
}

function startFailure(program: string, cause: unknown, stderr: string): CodedError {
	const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
	return new CodedError(
		'LAB_COMMAND',
		missing
			? { what: `${program} is not installed`, fix: 'run `npm run lab -- up`, which installs what the lab needs' }
			: { what: `${program} did not finish`, why: lastLines(stderr, 3) || String(cause) },
		{ cause },
	);
}

function tail(file: string): string {
	try {
		return readFileSync(file, 'utf8').slice(-4000);
	} catch {
		return '';
	}
}

function lastLines(text: string, count: number): string {
	return text.trim().split('\n').slice(-count).join('\n');
}
