import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessDeps, run, startDaemon } from '../process.ts';

export interface OvsdbServerOptions {
	/** Name of database file, socket, log and pid file: `<dir>/<name>.db`, `.sock`, `.log`, `.pid`. */
	readonly name: string;
	readonly dir: string;
	readonly schema: string;
	/** Put before the command, for example to enter a namespace. */
	readonly enter?: readonly string[];
	readonly signal?: AbortSignal;
}

/** Starts ovsdb-server on `<dir>/<name>.sock`; the database is made when there is none. Resolves when it listens. */
export async function startOvsdbServer(deps: ProcessDeps, options: OvsdbServerOptions): Promise<void> {
	const { dir, name, schema, enter = [] } = options;
	mkdirSync(dir, { recursive: true });
	const database = join(dir, `${name}.db`);
	if (!existsSync(database)) await run(deps, ['ovsdb-tool', 'create', database, schema]);
	await startDaemon(deps, {
		name: `ovsdb-server ${name}`,
		argv: [
			...enter,
			'ovsdb-server',
			database,
			`--remote=punix:${join(dir, `${name}.sock`)}`,
			`--unixctl=${join(dir, `${name}.ctl`)}`,
			`--pidfile=${join(dir, `${name}.pid`)}`,
			`--log-file=${join(dir, `${name}.log`)}`,
			'-vconsole:off',
			'--no-chdir',
			'--detach',
		],
		logFile: join(dir, `${name}.out`),
		readiness: 'exit',
		...(options.signal ? { signal: options.signal } : {}),
	});
}
