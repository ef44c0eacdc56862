import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabLayout, labMarker } from './layout.ts';
import { type ProcessDeps, startDaemon } from './process.ts';
import { cacheDir } from './setup/build.ts';

const packages = join(import.meta.dirname, '..', '..');

// A small young generation: these programs allocate little at a time, and a large one only adds to their memory.
const nodeOptions = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1'];

export interface ProgramStart {
	/** Names the log and the pid file: `<logs>/<name>.log`, `<run>/<name>.pid`. */
	readonly name: string;
	/** The program's main file, below packages/. */
	readonly main: string;
	readonly args: readonly string[];
	readonly enter?: readonly string[];
	readonly signal?: AbortSignal;
}

/** Starts one of Tapestry's own programs with the running Node; resolves with its pid when it serves. */
export async function startProgram(deps: ProcessDeps, layout: LabLayout, program: ProgramStart): Promise<number> {
	const { name, main, args, enter = [], signal } = program;
	const pid = await startDaemon(deps, {
		name,
		argv: [...enter, process.execPath, ...nodeOptions, join(packages, main), ...args, '--ready-fd=3'],
		env: { NODE_COMPILE_CACHE: join(cacheDir, 'node') },
		logFile: join(layout.logs, `${name}.log`),
		readiness: 'line',
		...(signal ? { signal } : {}),
	});
	mkdirSync(layout.run, { recursive: true });
	writeFileSync(join(layout.run, `${name}.pid`), String(pid));
	return pid;
}

/** The pid of a program of this lab while it runs. */
export function programPid(layout: LabLayout, name: string): number | undefined {
	try {
		const pid = Number(readFileSync(join(layout.run, `${name}.pid`), 'utf8'));
		// The marker guards against a pid that another process got meanwhile.
		return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${labMarker}=${layout.dir}\0`) ? pid : undefined;
	} catch {
		return undefined;
	}
}
