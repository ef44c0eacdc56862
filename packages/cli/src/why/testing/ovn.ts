import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { run } from '@tapestry/lab';
import { type Fragment, monitoredColumns, nbSchema, type Owner, Planner } from '@tapestry/network';
import { connect, type Replica, type Session } from '@tapestry/ovsdb';
import { nbSchemaPath, type OvsdbServer, sbSchemaPath, startOvsdbServer } from '../../../../ovsdb/src/testing/server.ts';

export const deps = { env: process.env };

/** Both of OVN's databases and ovn-northd between them, for fragments to be written to. */
export class TestOvn implements AsyncDisposable {
	readonly northbound: OvsdbServer;
	readonly southbound: OvsdbServer;
	readonly session: Session;
	readonly #replica: Replica;
	readonly #northd: ChildProcess;
	#owners: readonly Owner[] = [];

	static async start(): Promise<TestOvn> {
		const [nb, sb] = await Promise.all([nbSchemaPath, sbSchemaPath].map((schemaPath) => startOvsdbServer({ schemaPath })));
		if (!nb || !sb) throw new Error('no databases');
		const databases = [
			`--ovnnb-db=${nb.endpoint}`,
			`--ovnsb-db=${sb.endpoint}`,
			`--unixctl=${sb.endpoint.replace('unix:', '')}.northd.ctl`,
		];
		const northd = spawn('setpriv', ['--pdeathsig', 'KILL', 'ovn-northd', ...databases, '-vconsole:off', '-vsyslog:off', '-vfile:off']);
		const session = connect({ clock: systemClock, random: Math.random, log: silentLogger }, { endpoint: nb.endpoint });
		return new TestOvn(nb, sb, northd, session, await compiledTables(session));
	}

	private constructor(nb: OvsdbServer, sb: OvsdbServer, northd: ChildProcess, session: Session, replica: Replica) {
		this.northbound = nb;
		this.southbound = sb;
		this.session = session;
		this.#northd = northd;
		this.#replica = replica;
	}

	/** Makes the Northbound database hold exactly these fragments, and waits until ovn-northd has followed. */
	async write(fragments: ReadonlyMap<Owner, Fragment>): Promise<void> {
		const gone = this.#owners.filter((owner) => !fragments.has(owner)).map((owner) => [owner, undefined] as const);
		await writeFragments(this.session, this.#replica, [...gone, ...fragments]);
		this.#owners = [...fragments.keys()];
		await run(deps, ['ovn-nbctl', `--db=${this.northbound.endpoint}`, '--wait=sb', '--timeout=60', 'sync']);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#northd.exitCode === null && this.#northd.kill('SIGKILL')) await once(this.#northd, 'exit');
		await this.session.close();
		await Promise.all([this.northbound.stop(), this.southbound.stop()]);
	}
}

/** The tables that compiled rows are in. */
export function compiledTables(session: Session): Promise<Replica> {
	const tables = Object.fromEntries(Object.entries(monitoredColumns).map(([table, columns]) => [table, { columns }]));
	return session.monitor(nbSchema.name, tables);
}

/** Writes what fragments want, as the controller does: owners in groups, the difference of each in one transaction. */
export async function writeFragments(
	session: Session,
	replica: Replica,
	fragments: Iterable<readonly [Owner, Fragment | undefined]>,
): Promise<void> {
	const planner = new Planner(nbSchema);
	planner.reset(Object.fromEntries(Object.keys(monitoredColumns).map((table) => [table, replica.table(table)])));
	const stop = replica.onChange((deltas) => planner.observe(deltas));
	for (const [owner, fragment] of fragments) planner.want(owner, fragment);
	while (planner.hasDirty) {
		const { operations } = planner.plan(planner.takeDirty(2000));
		if (operations.length === 0) continue;
		await session.transact(nbSchema.name, operations);
		await replica.settled();
	}
	stop();
}
