import { CodedError, silentLogger } from '@tapestry/base';
import { Compiler, nbSchema, type Operation, type Owner, World } from '@tapestry/network';
import type { Replica, RowChange, Session } from '@tapestry/ovsdb';
import { describe, expect, it } from 'vitest';
import { MemoryDatabase } from '../../../network/src/plan/testing/memory-database.ts';
import { CommitLoop } from './commit-loop.ts';

/** A loop over a database in memory. `around` may refuse a transaction. */
function open(around: (operations: readonly Operation[]) => void = () => {}) {
	const database = new MemoryDatabase(nbSchema);
	const listeners = new Set<(changes: readonly RowChange[], reset: boolean) => void>();
	const transactions: (readonly Operation[])[] = [];
	const replica = {
		table: (name: string) => database.tables[name] ?? new Map(),
		onChange: (listener: (changes: readonly RowChange[], reset: boolean) => void) => {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		settled: () => Promise.resolve(),
	} as unknown as Replica;
	const session = {
		transact: async (_: string, operations: readonly Operation[]) => {
			transactions.push(operations);
			around(operations);
			const changes = database.transact(operations);
			for (const listener of listeners) listener(changes, false);
			return [];
		},
	} as unknown as Session;
	const world = new World();
	world.set('Vpc', 'v', { name: 'v', isDefault: false, staticRoutes: [], policyRoutes: [], peerings: [] });
	const after = (_: number, callback: () => void) => {
		queueMicrotask(callback);
		return () => {};
	};
	const clock = { now: () => 0, monotonic: () => 0, after };
	const lock = { held: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
	const settled: Owner[] = [];
	const refused: Owner[] = [];
	const wanted = Promise.withResolvers<void>();
	const compiler = new Compiler(world);
	const loop = new CommitLoop(
		{ session, replica, compiler, lock, clock, random: () => 0, log: silentLogger },
		{
			onSettled: (owners) => {
				settled.push(...owners);
				if (settled.includes('Vpc/last')) wanted.resolve();
			},
			onBlocked: () => {},
			onRefused: (owner) => refused.push(owner),
		},
	);
	world.onChange(() => loop.wake());
	const run = async () => {
		const abort = new AbortController();
		const ended = loop.run(abort.signal);
		await wanted.promise;
		abort.abort();
		await ended;
	};
	const addVpc = (name: string) => world.set('Vpc', name, { name, isDefault: false, staticRoutes: [], policyRoutes: [], peerings: [] });
	const routers = () => [...(database.tables.Logical_Router?.values() ?? [])].map((row) => row.name).sort();
	return { addVpc, run, routers, transactions, settled, refused };
}

describe('CommitLoop', () => {
	it('writes all that is due in one transaction that asserts the lock', async () => {
		const { addVpc, run, routers, transactions } = open();
		for (const name of ['a', 'b', 'last']) addVpc(name);
		await run();
		expect(routers()).toEqual(['a', 'b', 'last', 'v']);
		expect(transactions).toHaveLength(1);
		expect(transactions[0]?.[0]).toEqual({ op: 'assert', lock: 'tapestry' });
	});

	it('leaves out the owner whose rows are refused, and no other', async () => {
		const isBad = (operation: Operation) => operation.op === 'insert' && operation.row.name === 'bad';
		const { addVpc, run, routers, refused, transactions } = open((operations) => {
			if (operations.some(isBad)) throw new CodedError('OVSDB_TRANSACTION', 'constraint violation');
		});
		for (const name of ['a', 'bad', 'b', 'c', 'last']) addVpc(name);
		await run();
		expect(routers()).toEqual(['a', 'b', 'c', 'last', 'v']);
		expect(refused).toEqual(['Vpc/bad']);
		expect(transactions.filter((operations) => operations.some(isBad)).length).toBeLessThan(5);
	});

	it('tries again after a disconnect and after the lock went', async () => {
		const failures = ['OVSDB_DISCONNECTED', 'OVSDB_NOT_OWNER'];
		const { addVpc, run, routers } = open(() => {
			const code = failures.shift();
			if (code) throw new CodedError(code, 'not now');
		});
		addVpc('last');
		await run();
		expect(routers()).toEqual(['last', 'v']);
		expect(failures).toEqual([]);
	});
});
