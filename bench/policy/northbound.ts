import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { Compiler, monitoredColumns, nbSchema, type Operation, Planner, type World } from '@tapestry/network';
import { connect, type Replica, type Session } from '@tapestry/ovsdb';

/** A world kept in a Northbound database as the controller keeps it, and how long it takes until every chassis has the flows. */
export class Northbound implements AsyncDisposable {
	readonly #session: Session;
	readonly #replica: Replica;
	readonly #compiler: Compiler;
	readonly #planner = new Planner(nbSchema);
	#generation = 0;

	static async open(endpoint: string, world: World): Promise<Northbound> {
		const session = connect({ clock: systemClock, random: Math.random, log: silentLogger }, { endpoint });
		const tables = Object.fromEntries(Object.entries(monitoredColumns).map(([table, columns]) => [table, { columns }]));
		const replica = await session.monitor(nbSchema.name, { ...tables, NB_Global: { columns: ['nb_cfg', 'hv_cfg'] } });
		return new Northbound(session, replica, world);
	}

	private constructor(session: Session, replica: Replica, world: World) {
		this.#session = session;
		this.#replica = replica;
		this.#compiler = new Compiler(world);
		this.#planner.reset(Object.fromEntries(Object.keys(monitoredColumns).map((table) => [table, replica.table(table)])));
		replica.onChange((changes) => this.#planner.observe(changes.filter(({ table }) => table !== 'NB_Global')));
	}

	/** Writes what changed, in one transaction if it is not more than the controller would write in one; gives back how many it took. */
	async commit(): Promise<number> {
		for (let transactions = 0; ; transactions++) {
			for (const [owner, fragment] of this.#compiler.update()) this.#planner.want(owner, fragment);
			const { operations } = this.#planner.plan(this.#planner.takeDirty(2000));
			if (operations.length > 0) await this.#write([...operations, bump]);
			else if (!this.#planner.hasDirty) return transactions;
		}
	}

	/** Resolves when every chassis has the flows for all that was committed (ovn-nb(5), NB_Global.hv_cfg). */
	async enforced(): Promise<void> {
		const { promise, resolve } = Promise.withResolvers<void>();
		const look = () => {
			const [global] = this.#replica.table('NB_Global').values();
			if (Number(global?.hv_cfg ?? 0) >= this.#generation) resolve();
		};
		const stop = this.#replica.onChange(look);
		look();
		await promise;
		stop();
	}

	async #write(operations: readonly Operation[]): Promise<void> {
		await this.#session.transact(nbSchema.name, operations);
		await this.#replica.settled();
		const [global] = this.#replica.table('NB_Global').values();
		this.#generation = Number(global?.nb_cfg ?? 0);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#compiler.close();
		await this.#session[Symbol.asyncDispose]();
	}
}

const bump: Operation = { op: 'mutate', table: 'NB_Global', where: [], mutations: [['nb_cfg', '+=', 1]] };
