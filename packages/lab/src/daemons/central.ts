import { join } from 'node:path';
import { type ProcessDeps, run, startDaemon } from '../process.ts';
import { startOvsdbServer } from './ovsdb-server.ts';

export interface CentralOptions {
	/** Gets nb.sock, sb.sock and the logs. */
	readonly dir: string;
	readonly signal?: AbortSignal;
}

/** Starts the Northbound and Southbound databases and ovn-northd. Resolves when all three serve. */
export async function startCentral(deps: ProcessDeps, options: CentralOptions): Promise<void> {
	const { dir, signal } = options;
	const more = signal ? { signal } : {};
	await Promise.all(
		(['nb', 'sb'] as const).map((name) => startOvsdbServer(deps, { name, dir, schema: `/usr/share/ovn/ovn-${name}.ovsschema`, ...more })),
	);
	await run(deps, ['ovn-nbctl', `--db=unix:${join(dir, 'nb.sock')}`, '--no-wait', 'init'], more);
	await run(deps, ['ovn-sbctl', `--db=unix:${join(dir, 'sb.sock')}`, 'init'], more);
	await startNorthd(deps, options);
}

export async function startNorthd(deps: ProcessDeps, { dir, signal }: CentralOptions): Promise<void> {
	await startDaemon(deps, {
		name: 'ovn-northd',
		argv: [
			'ovn-northd',
			`--ovnnb-db=unix:${join(dir, 'nb.sock')}`,
			`--ovnsb-db=unix:${join(dir, 'sb.sock')}`,
			`--unixctl=${join(dir, 'northd.ctl')}`,
			`--pidfile=${join(dir, 'northd.pid')}`,
			`--log-file=${join(dir, 'northd.log')}`,
			'-vconsole:off',
			'--no-chdir',
			'--detach',
		],
		logFile: join(dir, 'northd.out'),
		readiness: 'exit',
		...(signal ? { signal } : {}),
	});
}
