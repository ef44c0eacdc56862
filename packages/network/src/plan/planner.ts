import { CodedError } from '@tapestry/base';
import type { DatabaseMeta } from '../schema/meta.ts';
import type { Operation, Uuid } from '../schema/wire.ts';
import { diffOwners } from './diff.ts';
import { type Change, type Claim, type Fragment, nameKey, type Obstacle, type Owner } from './model.ts';
import { toOperations } from './operations.ts';
import { ReplicaIndex, type RowDelta, type Tables } from './replica-index.ts';

export interface Plan {
	/** One transaction. Empty when the database holds what the planned owners want, as far as it can be written now. */
	readonly operations: readonly Operation[];
	readonly changes: readonly Change[];
	/** By owner, why rows are left out. Owners that are not here are complete once the operations are committed. */
	readonly obstacles: ReadonlyMap<Owner, readonly Obstacle[]>;
}

/**
 * Keeps what every owner wants beside an index of what the database holds, and which owners may differ. Both sides are told to it
 * (`want`, `observe`, `reset`); `plan` costs as much as the rows of the planned owners, however many others there are.
 */
export class Planner {
	readonly #schema: DatabaseMeta;
	readonly #wanted = new Map<Owner, Fragment>();
	readonly #claims = new Map<string, Claim>();
	readonly #dirty = new Set<Owner>();
	/** Owners by the name or UUID of a row that they wait for. */
	readonly #waiting = new Map<string, Set<Owner>>();
	#index: ReplicaIndex;

	constructor(schema: DatabaseMeta) {
		this.#schema = schema;
		this.#index = new ReplicaIndex(schema);
	}

	/** Sets what an owner wants; `undefined` when the owner is gone. Throws PLAN_KEY when another owner wants a row of the same name. */
	want(owner: Owner, fragment: Fragment | undefined): void {
		for (const row of this.#wanted.get(owner)?.rows ?? []) this.#claims.delete(nameKey(row));
		for (const row of fragment?.rows ?? []) {
			const name = nameKey(row);
			const claim = this.#claims.get(name);
			if (claim) throw new CodedError('PLAN_KEY', `${owner} and ${claim.owner} both want ${row.table} ${row.key}`);
			this.#claims.set(name, { owner, row });
			this.#wake(name);
		}
		if (fragment && fragment.rows.length > 0) this.#wanted.set(owner, fragment);
		else this.#wanted.delete(owner);
		this.#dirty.add(owner);
	}

	/** Takes in what changed in the database, whoever changed it. */
	observe(deltas: readonly RowDelta[]): void {
		for (const { uuid } of deltas) this.#dirtyOwnerOf(uuid);
		const members = this.#index.apply(deltas);
		for (const uuid of members) this.#dirtyOwnerOf(uuid);
		for (const { table, uuid } of deltas) {
			this.#dirtyOwnerOf(uuid);
			this.#wake(uuid);
			const mark = this.#index.entry(uuid)?.mark;
			if (mark) this.#wake(nameKey({ table, key: mark.key }));
		}
	}

	/** Forgets what was observed and reads the whole database anew; every owner, wanted or found, is planned again. */
	reset(tables: Tables): void {
		this.#index = new ReplicaIndex(this.#schema);
		const rows = Object.entries(tables).flatMap(([table, content]) =>
			Array.from(content, ([uuid, after]): RowDelta => ({ table, uuid, before: undefined, after })),
		);
		this.#index.apply(rows);
		for (const owner of this.#wanted.keys()) this.#dirty.add(owner);
		for (const owner of this.#index.owners()) this.#dirty.add(owner);
	}

	/** The owners to plan, each once and at most `limit`, longest dirty first; they are not dirty any more. */
	takeDirty(limit = Number.POSITIVE_INFINITY): Owner[] {
		const owners: Owner[] = [];
		for (const owner of this.#dirty) {
			if (owners.length >= limit) break;
			owners.push(owner);
			this.#dirty.delete(owner);
		}
		return owners;
	}

	/** Whether the database holds rows of this owner. */
	holds(owner: Owner): boolean {
		const [first] = this.#index.rowsOf(owner);
		return first !== undefined;
	}

	get hasDirty(): boolean {
		return this.#dirty.size > 0;
	}

	/** Puts owners back whose plan was not committed. */
	markDirty(owners: Iterable<Owner>): void {
		for (const owner of owners) this.#dirty.add(owner);
	}

	/** The transaction that gives these owners what they want. Until its outcome is observed, no other plan may be made. */
	plan(owners: readonly Owner[]): Plan {
		const { changes, obstacles } = diffOwners(
			{
				schema: this.#schema,
				index: this.#index,
				wanted: (owner) => this.#wanted.get(owner),
				claim: (name) => this.#claims.get(nameKey(name)),
			},
			owners,
		);
		for (const [owner, list] of obstacles) {
			for (const obstacle of list) {
				const awaited = obstacle.kind === 'missing' ? obstacle.names : [obstacle.by];
				for (const name of awaited.map((one) => (typeof one === 'string' ? one : nameKey(one))))
					this.#waiting.set(name, (this.#waiting.get(name) ?? new Set()).add(owner));
			}
		}
		return { operations: toOperations(this.#schema, this.#index, changes), changes, obstacles };
	}

	#dirtyOwnerOf(uuid: Uuid): void {
		const owner = this.#index.entry(uuid)?.mark?.owner;
		if (owner !== undefined) this.#dirty.add(owner);
	}

	#wake(name: string): void {
		const owners = this.#waiting.get(name);
		if (!owners) return;
		this.#waiting.delete(name);
		for (const owner of owners) this.#dirty.add(owner);
	}
}
