import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

export const nbSchemaPath = '/usr/share/ovn/ovn-nb.ovsschema';
export const sbSchemaPath = '/usr/share/ovn/ovn-sb.ovsschema';

export interface OvsdbServerOptions {
	readonly schemaPath: string;
	/** Where the database and its socket are; a new temporary directory, removed by `stop`, when absent. */
	readonly dir?: string;
	/** A RAFT cluster of one: only clustered databases keep the history that a monitor resumes from. */
	readonly clustered?: boolean;
}

export interface OvsdbServer extends AsyncDisposable {
	/** `unix:PATH`, the same over restarts. */
	readonly endpoint: string;
	/** `tcp:127.0.0.1:PORT`; another port after a restart. */
	readonly tcpEndpoint: string;
	/** The database file. */
	readonly database: string;
	readonly pid: number;
	kill(signal?: NodeJS.Signals): Promise<void>;
	/** Starts it again after `kill`, on the same database file and socket. */
	restart(): Promise<void>;
	stop(): Promise<void>;
}

type Child = ChildProcessByStdio<null, null, Readable>;
const run = promisify(execFile);

/** A real ovsdb-server with an empty database; it dies with this process. */
export async function startOvsdbServer(options: OvsdbServerOptions): Promise<OvsdbServer> {
	const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'ovsdb-')));
	const database = join(dir, 'test.db');
	const socket = join(dir, 'db.sock');
	if (options.clustered) await run('ovsdb-tool', ['create-cluster', database, options.schemaPath, `unix:${join(dir, 'raft.sock')}`]);
	else await run('ovsdb-tool', ['create', database, options.schemaPath]);
	let { child, port } = await spawnServer(database, socket);

	const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		const exited = once(child, 'exit');
		child.kill(signal);
		await exited;
	};
	const stop = async (): Promise<void> => {
		await kill();
		if (!options.dir) await rm(dir, { recursive: true });
	};
	return {
		endpoint: `unix:${socket}`,
		get tcpEndpoint() {
			return `tcp:127.0.0.1:${port}`;
		},
		database,
		get pid() {
			return child.pid ?? 0;
		},
		kill,
		async restart() {
			await rm(`${socket}.ctl`, { force: true });
			({ child, port } = await spawnServer(database, socket));
		},
		stop,
		[Symbol.asyncDispose]: stop,
	};
}

/** Resolves when the server listens on both of its remotes: it logs its own name and version as the last step of its start. */
async function spawnServer(database: string, socket: string): Promise<{ child: Child; port: number }> {
	const remotes = [`--remote=punix:${socket}`, '--remote=ptcp:0:127.0.0.1'];
	const logging = ['-vconsole:info', '-vsyslog:off', '-vfile:off'];
	const args = ['--pdeathsig', 'KILL', 'ovsdb-server', ...logging, ...remotes, `--unixctl=${socket}.ctl`, database];
	const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'] });
	const lines: string[] = [];
	await new Promise<void>((resolve, reject) => {
		const reader = createInterface({ input: child.stderr });
		reader.on('line', (line) => {
			lines.push(line);
			if (line.includes('ovsdb-server (Open vSwitch)')) resolve();
		});
		reader.once('close', () => reject(new Error(`ovsdb-server did not start:\n${lines.join('\n')}`)));
	});
	return { child, port: Number(/listening on port (\d+)/.exec(lines.join('\n'))?.[1]) };
}
