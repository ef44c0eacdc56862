import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { Compiler, compileAll, monitoredColumns, nbSchema, Planner, type Tables, verify } from '@tapestry/network';
import { connect, type Replica, type Session } from '@tapestry/ovsdb';
import { nbSchemaPath, startOvsdbServer } from '../packages/ovsdb/src/testing/server.ts';
import { type BenchOptions, type BenchResult, currentConditions, type Measurement, measurement, sampled, timed } from './harness.ts';
import { bareWorld, numberedLease } from './worlds.ts';

const sizes = [100, 1_000, 10_000];
const changes = 200;
/** Owners in one transaction, as the controller's. */
const batch = 2_000;

/** What one more port costs the compiler and the planner beside N others, against a real Northbound database. */
export async function run(_options: BenchOptions): Promise<BenchResult> {
	const conditions = currentConditions();
	// Once unmeasured, so that the first size does not pay for compiling the code.
	await measureSize(100);
	const results: Measurement[] = [];
	for (const size of sizes) results.push(...(await measureSize(size)));
	return { name: 'compile', conditions, results };
}

async function measureSize(size: number): Promise<Measurement[]> {
	await using server = await startOvsdbServer({ schemaPath: nbSchemaPath });
	await using session = connect({ clock: systemClock, random: Math.random, log: silentLogger }, { endpoint: server.endpoint });
	await using network = await Network.open(session);
	for (let index = 0; index < size; index++) network.setPort(index, 'n1');
	const filling = await timed(() => network.commitAll());
	const name = (what: string) => `${what}, ${size} ports`;
	const results = [measurement(name('fill an empty database'), [filling], { perSecond: size / (filling / 1000) })];

	const plans: number[] = [];
	const observed: number[] = [];
	const commits = await sampled(changes, async (index) => {
		network.setPort(size + index, 'n1');
		const before = network.observeMs;
		plans.push(await network.commitAll());
		observed.push(network.observeMs - before);
	});
	results.push(measurement(name('add a port: compile and plan'), plans));
	results.push(measurement(name('add a port: take the result in'), observed));
	results.push(measurement(name('add a port: with its transaction'), commits));

	const moves: number[] = [];
	await sampled(changes, async (index) => {
		network.setPort((index * 7) % size, `n${index + 2}`);
		moves.push(await network.commitAll());
	});
	results.push(measurement(name('change a port: compile and plan'), moves));

	const fragments = compileAll(network.world);
	results.push(measurement(name('full difference'), await sampled(5, () => verify(nbSchema, fragments, network.tables()))));
	if (verify(nbSchema, fragments, network.tables()).length > 0) throw new Error('the database is not what was compiled');
	return results;
}

/** The default VPC, kept in a database as the controller does it. */
class Network implements AsyncDisposable {
	readonly world = bareWorld();
	readonly #session: Session;
	readonly #replica: Replica;
	readonly #compiler = new Compiler(this.world);
	readonly #planner = new Planner(nbSchema);
	/** Milliseconds spent so far on taking in changes of the database. */
	observeMs = 0;

	static async open(session: Session): Promise<Network> {
		const tables = Object.fromEntries(Object.entries(monitoredColumns).map(([table, columns]) => [table, { columns }]));
		return new Network(session, await session.monitor(nbSchema.name, tables));
	}

	private constructor(session: Session, replica: Replica) {
		this.#session = session;
		this.#replica = replica;
		this.#planner.reset(this.tables());
		replica.onChange((deltas) => {
			const start = performance.now();
			this.#planner.observe(deltas);
			this.observeMs += performance.now() - start;
		});
	}

	tables(): Tables {
		return Object.fromEntries(Object.keys(monitoredColumns).map((table) => [table, this.#replica.table(table)]));
	}

	setPort(index: number, node: string): void {
		const facts = numberedLease(index + 2, `pod-${index}.default`, { node, ownerUid: `uid-${index}` });
		this.world.set('IP', facts.name, facts);
	}

	/** Writes all that changed; returns the milliseconds that compiling and planning took. */
	async commitAll(): Promise<number> {
		let spent = 0;
		for (;;) {
			const start = performance.now();
			for (const [owner, fragment] of this.#compiler.update()) this.#planner.want(owner, fragment);
			const { operations } = this.#planner.plan(this.#planner.takeDirty(batch));
			spent += performance.now() - start;
			if (operations.length > 0) {
				await this.#session.transact(nbSchema.name, operations);
				await this.#replica.settled();
			} else if (!this.#planner.hasDirty) return spent;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#compiler.close();
	}
}
