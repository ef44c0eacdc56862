import { type Backoff, type Clock, type CodedError, createBackoff, isCoded, type Logger, type Signal, sleep } from '@tapestry/base';
import {
	type Compiler,
	monitoredColumns,
	nbSchema,
	type Obstacle,
	type Operation,
	type Owner,
	Planner,
	type Tables,
} from '@tapestry/network';
import type { Replica, Session } from '@tapestry/ovsdb';
import { type HeldLock, lockName } from './held-lock.ts';

export interface CommitDeps {
	readonly session: Session;
	readonly replica: Replica;
	readonly compiler: Compiler;
	readonly lock: HeldLock;
	readonly clock: Clock;
	readonly random: () => number;
	readonly log: Logger;
}

export interface CommitCallbacks {
	/** The database holds what these owners want. */
	onSettled(owners: readonly Owner[]): void;
	/** Rows of the owner cannot be written; called again when that changes. */
	onBlocked(owner: Owner, obstacles: readonly Obstacle[]): void;
	/** A transaction of this owner's rows alone was refused. They are tried again when the owner or the database changes. */
	onRefused(owner: Owner, error: CodedError): void;
}

/** Owners of one transaction: enough to be efficient, few enough that a first port need not wait for ten thousand. */
const largestBatch = 2000;

/**
 * Keeps the Northbound database equal to what the compiler says. While one transaction is in flight all that changes becomes the next one. Each
 * transaction asserts our lock, so that what a controller that lost it had in mind is refused by the server.
 */
export class CommitLoop {
	readonly #deps: CommitDeps;
	readonly #callbacks: CommitCallbacks;
	readonly #planner = new Planner(nbSchema);
	readonly #backoff: Backoff;
	#wake: () => void = () => {};

	constructor(deps: CommitDeps, callbacks: CommitCallbacks) {
		this.#deps = deps;
		this.#backoff = createBackoff(deps, { initial: 50, max: 5000 });
		this.#callbacks = callbacks;
		this.#planner.reset(readTables(deps.replica));
	}

	/** Whether the database holds rows of this owner. */
	holds(owner: Owner): boolean {
		return this.#planner.holds(owner);
	}

	/** Says that the compiler may have work. */
	wake(): void {
		this.#wake();
	}

	/** Works until the signal is aborted. */
	async run(signal: Signal): Promise<void> {
		const { replica, log } = this.#deps;
		const stop = replica.onChange((changes, reset) => {
			if (reset) {
				log.info('northbound database was read anew');
				this.#planner.reset(readTables(replica));
			} else this.#planner.observe(changes);
			this.#wake();
		});
		const onAbort = (): void => this.#wake();
		signal.addEventListener('abort', onAbort, { once: true });
		try {
			while (!signal.aborted) {
				for (const [owner, fragment] of this.#deps.compiler.update()) this.#planner.want(owner, fragment);
				if (!this.#planner.hasDirty) {
					await new Promise<void>((resolve) => {
						this.#wake = resolve;
					});
					continue;
				}
				await this.#commit(this.#planner.takeDirty(largestBatch), signal);
			}
		} finally {
			stop();
			signal.removeEventListener('abort', onAbort);
		}
	}

	async #commit(owners: readonly Owner[], signal: Signal): Promise<void> {
		const { operations, obstacles } = this.#planner.plan(owners);
		if (operations.length > 0 && !(await this.#transact(owners, operations, signal))) return;
		for (const [owner, list] of obstacles) this.#callbacks.onBlocked(owner, list);
		this.#callbacks.onSettled(owners.filter((owner) => !obstacles.has(owner)));
	}

	/** False when the owners are to be planned again. */
	async #transact(owners: readonly Owner[], operations: readonly Operation[], signal: Signal): Promise<boolean> {
		const { session, replica } = this.#deps;
		try {
			await session.transact(nbSchema.name, [{ op: 'assert', lock: lockName }, ...operations], { signal });
			await replica.settled({ signal });
			this.#backoff.reset();
			return true;
		} catch (error) {
			if (isCoded(error, 'OVSDB_TRANSACTION')) await this.#divide(owners, error, signal);
			else if (isCoded(error, 'OVSDB_DISCONNECTED') || isCoded(error, 'OVSDB_NOT_OWNER')) await this.#pause(owners, error, signal);
			else throw error;
			return false;
		}
	}

	/** One bad row must not keep the others out: the halves are tried apart until the owner that is to blame stands alone. */
	async #divide(owners: readonly Owner[], error: CodedError, signal: Signal): Promise<void> {
		const [first] = owners;
		if (owners.length > 1) {
			const middle = owners.length >> 1;
			await this.#commit(owners.slice(0, middle), signal);
			await this.#commit(owners.slice(middle), signal);
		} else if (first !== undefined) {
			this.#deps.log.error('the northbound database refuses rows', { owner: first, error });
			this.#callbacks.onRefused(first, error);
		}
	}

	/** What became of the transaction is not known. Nothing is planned before the replica tells. */
	async #pause(owners: readonly Owner[], cause: CodedError, signal: Signal): Promise<void> {
		const { clock, lock, replica, log } = this.#deps;
		log.warn('transaction failed, will try again', { error: cause });
		this.#planner.markDirty(owners);
		for (;;) {
			await sleep(clock, this.#backoff.next(), signal);
			await lock.held(signal);
			try {
				await replica.settled({ signal });
				return;
			} catch (error) {
				if (!isCoded(error, 'OVSDB_DISCONNECTED')) throw error;
			}
		}
	}
}

/** The replica's tables, as they are now and as they will be. */
export function readTables(replica: Replica): Tables {
	return Object.fromEntries(Object.keys(monitoredColumns).map((table) => [table, replica.table(table)]));
}
