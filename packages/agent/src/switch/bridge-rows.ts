import type { Signal } from '@tapestry/base';
import { type Operation, type OperationResult, type OvsBridge, type OvsPort, ovsSchema, type Uuid, whereUuid } from '@tapestry/network';
import type { Replica, Session } from '@tapestry/ovsdb';

/** Marks the rows that agents made, with what they belong to. Kube-OVN's agents use the same name for their mark. */
export const vendorMark = { vendor: 'tapestry' } as const;

export const isOurs = ({ external_ids: ids }: { readonly external_ids: Readonly<Record<string, string>> }): boolean =>
	ids.vendor === vendorMark.vendor;

export interface BridgeOptions {
	/** @default br-int */
	readonly name?: string;
	readonly signal?: Signal;
}

/** A live copy of what a node's Open vSwitch says of one bridge and its ports. */
export class BridgeRows {
	readonly name: string;
	readonly #session: Session;
	readonly #replica: Replica;

	private constructor(session: Session, replica: Replica, name: string) {
		this.#session = session;
		this.#replica = replica;
		this.name = name;
	}

	/** @param columns those to know, by table */
	static async open(
		session: Session,
		columns: Readonly<Record<string, readonly string[]>>,
		{ name = 'br-int', ...more }: BridgeOptions = {},
	): Promise<BridgeRows> {
		const tables = Object.fromEntries(Object.entries(columns).map(([table, names]) => [table, { columns: names }]));
		return new BridgeRows(session, await session.monitor(ovsSchema.name, tables, more), name);
	}

	get connected(): boolean {
		return this.#session.connected;
	}

	bridge(): OvsBridge | undefined {
		return this.all<OvsBridge>('Bridge').find(({ name }) => name === this.name);
	}

	/** Names of ports are unique in the whole database, so its bridge may be another. */
	port(name: string): OvsPort | undefined {
		return this.all<OvsPort>('Port').find((port) => port.name === name);
	}

	/** The rows of a table; a node has some hundred. */
	all<T>(table: string): readonly T[] {
		return [...this.#replica.table(table).values()] as unknown as readonly T[];
	}

	row<T>(table: string, uuid: Uuid): T | undefined {
		return this.#replica.table(table).get(uuid) as T | undefined;
	}

	/** Calls back after every change of the copy. */
	onChange(listener: () => void): () => void {
		return this.#replica.onChange(listener);
	}

	/** Resolves when the copy has all that was in the database at the time of the call. */
	settled(options: { readonly signal?: Signal } = {}): Promise<void> {
		return this.#replica.settled(options);
	}

	transact(operations: readonly Operation[], options: { readonly signal?: Signal } = {}): Promise<readonly OperationResult[]> {
		return this.#session.transact(ovsSchema.name, operations, options);
	}
}

/** Puts a row into a list of a bridge, or takes it out. */
export function listed(
	{ _uuid }: OvsBridge,
	column: 'ports' | 'mirrors',
	mutator: 'insert' | 'delete',
	uuid: readonly ['uuid' | 'named-uuid', Uuid],
): Operation {
	return { op: 'mutate', table: 'Bridge', where: whereUuid(_uuid), mutations: [[column, mutator, ['set', [uuid]]]] };
}
