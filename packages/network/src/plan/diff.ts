import { sameValue } from '../schema/codec.ts';
import type { DatabaseMeta, TableMeta } from '../schema/meta.ts';
import type { Row, Uuid, Value } from '../schema/wire.ts';
import {
	type Change,
	type Claim,
	type DesiredRow,
	type Fragment,
	isRowName,
	nameKey,
	type Obstacle,
	type Owner,
	type Place,
	type RowName,
} from './model.ts';
import { markedColumns } from './ownership.ts';
import { type ReplicaIndex, uniqueKey } from './replica-index.ts';

export interface DiffInput {
	readonly schema: DatabaseMeta;
	readonly index: ReplicaIndex;
	wanted(owner: Owner): Fragment | undefined;
	/** Who wants the row of this name. */
	claim(name: RowName): Claim | undefined;
}

export interface Difference {
	readonly changes: readonly Change[];
	readonly obstacles: ReadonlyMap<Owner, readonly Obstacle[]>;
}

/** What must change in the database for these owners to have exactly the rows that they want. */
export function diffOwners(input: DiffInput, owners: readonly Owner[]): Difference {
	return new Diff(input, owners).run();
}

/** One run; it remembers which new rows can be written, because they may refer to each other. */
class Diff {
	readonly #input: DiffInput;
	readonly #owners: ReadonlySet<Owner>;
	readonly #changes: Change[] = [];
	readonly #obstacles = new Map<Owner, Obstacle[]>();
	readonly #leaving = new Set<Uuid>();
	readonly #takenHere = new Map<string, RowName>();
	readonly #obstacleByName = new Map<string, Obstacle | undefined>();

	constructor(input: DiffInput, owners: readonly Owner[]) {
		this.#input = input;
		this.#owners = new Set(owners);
	}

	run(): Difference {
		for (const owner of this.#owners) this.#removeLeftovers(owner);
		for (const owner of this.#owners) {
			for (const row of this.#input.wanted(owner)?.rows ?? []) this.#visit(owner, row);
		}
		return { changes: this.#changes, obstacles: this.#obstacles };
	}

	#removeLeftovers(owner: Owner): void {
		const { index } = this.#input;
		for (const uuid of index.rowsOf(owner)) {
			const entry = index.entry(uuid);
			if (!entry?.mark) continue;
			const name = { table: entry.table, key: entry.mark.key };
			if (this.#input.claim(name)?.owner === owner && index.find(name) === uuid) continue;
			this.#leaving.add(uuid);
			this.#changes.push({ kind: 'delete', owner, name, uuid, holders: index.holdersOf(uuid) });
		}
	}

	#visit(owner: Owner, row: DesiredRow): void {
		const uuid = this.#input.index.find(row);
		if (uuid !== undefined) {
			this.#compare(owner, row, uuid);
			return;
		}
		const obstacle = this.#obstacleTo(row);
		if (obstacle) this.#wait(owner, obstacle);
		else this.#changes.push({ kind: 'insert', owner, row });
	}

	#compare(owner: Owner, row: DesiredRow, uuid: Uuid): void {
		const meta = this.#meta(row.table);
		const current = this.#input.index.entry(uuid)?.row ?? {};
		const desired = markedColumns(meta, owner, row);
		const missing = references(row).filter((name) => !this.#isAvailable(name));
		const columns = Object.keys(desired).filter((column) => !this.#isCurrent(meta, column, current[column], desired[column]));
		const taken = columns.length > 0 ? this.#taken(meta, row, { ...current, ...(desired as Row) }, uuid) : undefined;
		if (taken) this.#wait(owner, taken);
		else if (missing.length > 0) this.#wait(owner, { kind: 'missing', row: nameOf(row), names: missing });
		else if (columns.length > 0) this.#changes.push({ kind: 'update', owner, row, uuid, columns });
		this.#comparePlaces(owner, row, uuid);
	}

	#comparePlaces(owner: Owner, row: DesiredRow, uuid: Uuid): void {
		const { index } = this.#input;
		const name = nameOf(row);
		const surplus = new Set(index.holdersOf(uuid));
		const missing: RowName[] = [];
		for (const place of row.listedIn) {
			const holder = [...surplus].find((candidate) => candidate.column === place.column && candidate.uuid === index.find(place));
			if (holder) surplus.delete(holder);
			else if (this.#isAvailable(place)) this.#changes.push({ kind: 'list', owner, name, uuid, place });
			else missing.push(nameOf(place));
		}
		if (missing.length > 0) this.#wait(owner, { kind: 'missing', row: name, names: missing });
		for (const holder of surplus) {
			// A set of a row that is not ours is not ours either, whatever it lists.
			if (index.entry(holder.uuid)?.mark && !this.#leaving.has(holder.uuid)) {
				this.#changes.push({ kind: 'unlist', owner, name, uuid, holder });
			}
		}
	}

	/** Whether a row of this name exists when the transaction is done. */
	#isAvailable(name: RowName): boolean {
		const claim = this.#input.claim(name);
		if (!claim) return false;
		const uuid = this.#input.index.find(name);
		if (uuid !== undefined) return !this.#leaving.has(uuid);
		return this.#owners.has(claim.owner) && this.#obstacleTo(claim.row) === undefined;
	}

	/** Why a new row cannot be inserted. */
	#obstacleTo(row: DesiredRow): Obstacle | undefined {
		const name = nameKey(row);
		if (this.#obstacleByName.has(name)) return this.#obstacleByName.get(name);
		// No fragment needs rows that refer to each other in a circle. Should one appear, it waits instead of recursing for ever.
		this.#obstacleByName.set(name, { kind: 'missing', row: nameOf(row), names: [nameOf(row)] });
		const meta = this.#meta(row.table);
		const missing = [...references(row), ...row.listedIn].filter((other) => !this.#isAvailable(other)).map(nameOf);
		const obstacle: Obstacle | undefined =
			missing.length > 0 ? { kind: 'missing', row: nameOf(row), names: missing } : this.#taken(meta, row, row.columns as Row, undefined);
		this.#obstacleByName.set(name, obstacle);
		return obstacle;
	}

	#taken(meta: TableMeta, row: DesiredRow, values: Row, self: Uuid | undefined): Obstacle | undefined {
		for (const columns of meta.indexes) {
			const by = this.#input.index.holderOfValues(meta.name, columns, values);
			if (by !== undefined && by !== self && !this.#leaving.has(by)) return { kind: 'taken', row: nameOf(row), columns, by };
			const key = uniqueKey(meta.name, columns, values);
			const first = this.#takenHere.get(key);
			if (first && nameKey(first) !== nameKey(row)) return { kind: 'taken', row: nameOf(row), columns, by: first };
			this.#takenHere.set(key, nameOf(row));
		}
		return undefined;
	}

	#isCurrent(meta: TableMeta, column: string, current: Value, desired: unknown): boolean {
		const columnMeta = meta.columns[column];
		if (!columnMeta) return false;
		if (isRowName(desired)) return current !== undefined && current === this.#input.index.find(desired);
		if (column === 'external_ids') {
			const ids = (current ?? {}) as Readonly<Record<string, string>>;
			return Object.entries(desired as Readonly<Record<string, string>>).every(([key, value]) => ids[key] === value);
		}
		return sameValue(columnMeta, current, desired as Value);
	}

	#wait(owner: Owner, obstacle: Obstacle): void {
		const list = this.#obstacles.get(owner);
		if (list) list.push(obstacle);
		else this.#obstacles.set(owner, [obstacle]);
	}

	#meta(table: string): TableMeta {
		const meta = this.#input.schema.tables[table];
		if (!meta) throw new RangeError(`the schema has no table ${table}`);
		return meta;
	}
}

function references(row: DesiredRow): RowName[] {
	return Object.values(row.columns).filter(isRowName);
}

function nameOf({ table, key }: RowName | Place): RowName {
	return { table, key };
}
