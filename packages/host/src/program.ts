import { closeSync, writeSync } from 'node:fs';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { isAbort, isCoded, type Logger, type LogLevel } from '@tapestry/base';
import { processLogger } from './system.ts';

export interface Program<Options extends ParseArgsOptionsConfig> {
	readonly name: string;
	/** Long options as node:util parseArgs takes them; `log-level` and `ready-fd` are added. */
	readonly options: Options;
	run(context: ProgramContext<Options>): Promise<void>;
}

export interface ProgramContext<Options extends ParseArgsOptionsConfig> {
	readonly options: ReturnType<typeof parseArgs<{ options: Options }>>['values'];
	readonly positionals: readonly string[];
	readonly log: Logger;
	/** Aborted by SIGTERM and SIGINT; `run` then ends cleanly and returns. */
	readonly signal: AbortSignal;
	/** Resolves with that abort. */
	readonly stopped: Promise<void>;
	/** Tells the starter that this program serves: writes one line to the descriptor named by --ready-fd. */
	ready(): void;
}

/** Runs a long-lived program: parses its flags, turns signals into an abort, logs a failure and sets the exit status. Called by main.ts files only. */
export async function runProgram<Options extends ParseArgsOptionsConfig>(program: Program<Options>): Promise<void> {
	const { values, positionals } = parseArgs({
		options: { ...program.options, 'log-level': { type: 'string', default: 'info' }, 'ready-fd': { type: 'string' } },
		allowPositionals: true,
	});
	const flags = values as Record<string, string | boolean | undefined>;
	const log = processLogger(program.name, flags['log-level'] as LogLevel);
	const abort = new AbortController();
	const stopped = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve(), { once: true }));
	for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => abort.abort());
	try {
		await program.run({
			options: values as never,
			positionals,
			log,
			signal: abort.signal,
			stopped,
			ready: () => notify(flags['ready-fd'] as string | undefined),
		});
	} catch (error) {
		if (abort.signal.aborted && isAbort(error)) return;
		log.error('program failed', { error, ...(isCoded(error) ? { code: error.code } : {}) });
		// What it still holds open must not keep a failed program alive: its starter waits for the end.
		process.exit(1);
	}
}

function notify(fd: string | undefined): void {
	if (fd === undefined) return;
	writeSync(Number(fd), 'ready\n');
	closeSync(Number(fd));
}
