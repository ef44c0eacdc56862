import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Operation } from '@tapestry/network';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nbSchemaPath, type OvsdbServer, startOvsdbServer } from './testing/server.ts';
import { nextConnection, testSession } from './testing/session.ts';
import type { Lock, Session } from './types.ts';

const nb = 'OVN_Northbound';
const name = 'tapestry';
const fenced: readonly Operation[] = [
	{ op: 'assert', lock: name },
	{ op: 'insert', table: 'Logical_Switch', row: { name: 'x' } },
];
let server: OvsdbServer;
let first: Session;
let second: Session;

beforeEach(async () => {
	server = await startOvsdbServer({ schemaPath: nbSchemaPath });
	first = testSession(server.endpoint);
	second = testSession(server.endpoint);
});
afterEach(async () => {
	await first?.close();
	await second?.close();
	await server?.stop();
});

interface Watched {
	readonly lock: Lock;
	readonly history: readonly boolean[];
	/** Resolves with the next gain or loss. */
	next(): Promise<boolean>;
}

function take(session: Session): Watched {
	const history: boolean[] = [];
	let change = Promise.withResolvers<boolean>();
	const lock = session.lock(name, (held) => {
		history.push(held);
		change.resolve(held);
		change = Promise.withResolvers();
	});
	return { lock, history, next: () => change.promise };
}

describe('lock', () => {
	it('is held by one session, which alone passes `assert`, and handed on when released', async () => {
		const a = take(first);
		expect(await a.next()).toBe(true);
		const b = take(second);
		await expect(second.transact(nb, fenced)).rejects.toMatchObject({ code: 'OVSDB_NOT_OWNER', details: { operation: 0 } });
		expect(await first.transact(nb, fenced)).toHaveLength(2);

		const handedOn = b.next();
		await a.lock.release();
		expect(await handedOn).toBe(true);
		expect([a.lock.held, b.lock.held]).toEqual([false, true]);
		expect([a.history, b.history]).toEqual([[true, false], [true]]);
		await expect(first.transact(nb, fenced)).rejects.toMatchObject({ code: 'OVSDB_NOT_OWNER' });
		expect(await second.transact(nb, fenced)).toHaveLength(2);
	});

	it('passes on when its holder disconnects', async () => {
		const a = take(first);
		await a.next();
		const b = take(second);
		const handedOn = b.next();
		await first.close();
		expect(await handedOn).toBe(true);
		expect([a.lock.held, a.history]).toEqual([false, [true, false]]);
	});

	it('can be stolen, and comes back when the thief is gone', async () => {
		const a = take(first);
		await a.next();
		const [lost, thief] = [a.next(), promisify(execFile)('ovsdb-client', ['steal', server.endpoint, name])];
		expect(await lost).toBe(false);
		const back = a.next();
		thief.child.kill();
		await thief.catch(() => {});
		expect(await back).toBe(true);
	});

	it('is asked for again on a new connection', async () => {
		const a = take(first);
		await a.next();
		const disconnected = nextConnection(first, false);
		await server.kill();
		await disconnected;
		expect(a.lock.held).toBe(false);
		const again = a.next();
		await server.restart();
		expect(await again).toBe(true);
		expect(a.history).toEqual([true, false, true]);
		expect(await first.transact(nb, fenced)).toHaveLength(2);
	});

	it('can be taken again after its release, and only once at a time', async () => {
		const a = take(first);
		await a.next();
		expect(() => take(first)).toThrow(/already asks for the lock/);
		const released = a.lock.release();
		const again = take(first);
		expect(await again.next()).toBe(true);
		await released;
		expect(await first.transact(nb, fenced)).toHaveLength(2);
	});
});
