import { type Operation, type WireValue, whereUuid } from '@tapestry/network';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nbSchemaPath, type OvsdbServer, startOvsdbServer } from './testing/server.ts';
import { testSession } from './testing/session.ts';
import type { Session } from './types.ts';

const nb = 'OVN_Northbound';
let server: OvsdbServer;
let session: Session;

beforeAll(async () => {
	server = await startOvsdbServer({ schemaPath: nbSchemaPath });
	session = testSession(server.endpoint);
});
afterAll(async () => {
	await session?.close();
	await server?.stop();
});
beforeEach(async () => {
	await session.transact(nb, [{ op: 'delete', table: 'Logical_Switch', where: [] }]);
});

async function select(table: string, columns: readonly string[]) {
	const [result] = await session.transact(nb, [{ op: 'select', table, where: [], columns }]);
	return result?.rows;
}

describe('transact', () => {
	it('inserts rows that refer to each other by name', async () => {
		const [port, parent] = await session.transact(nb, [
			{ op: 'insert', table: 'Logical_Switch_Port', row: { name: 'p1' }, 'uuid-name': 'port' },
			{ op: 'insert', table: 'Logical_Switch', row: { name: 's1', ports: ['set', [['named-uuid', 'port']]] } },
		]);
		expect(await select('Logical_Switch', ['_uuid', 'ports'])).toEqual([{ _uuid: parent?.uuid, ports: port?.uuid }]);
	});

	it('updates, mutates and deletes, and counts the rows', async () => {
		await session.transact(nb, [
			{ op: 'insert', table: 'Logical_Switch', row: { name: 'a', external_ids: ['map', [['k', '1']]] } },
			{ op: 'insert', table: 'Logical_Switch', row: { name: 'b' } },
		]);
		const results = await session.transact(nb, [
			{ op: 'update', table: 'Logical_Switch', where: [['name', '!=', 'z']], row: { other_config: ['map', [['mtu', '1442']]] } },
			{
				op: 'mutate',
				table: 'Logical_Switch',
				where: [['name', '==', 'a']],
				mutations: [['external_ids', 'insert', ['map', [['l', '2']]]]],
			},
			{
				op: 'mutate',
				table: 'Logical_Switch',
				where: [['external_ids', 'includes', ['map', [['k', '1']]]]],
				mutations: [['external_ids', 'delete', 'k']],
			},
			{ op: 'delete', table: 'Logical_Switch', where: [['name', '==', 'b']] },
		]);
		expect(results).toEqual([{ count: 2 }, { count: 1 }, { count: 1 }, { count: 1 }]);
		const ids: WireValue = ['map', [['l', '2']]];
		expect(await select('Logical_Switch', ['name', 'external_ids', 'other_config'])).toEqual([
			{ name: 'a', external_ids: ids, other_config: ['map', [['mtu', '1442']]] },
		]);
	});

	it('accepts comment and a durable commit', async () => {
		const operations: readonly Operation[] = [
			{ op: 'insert', table: 'Logical_Switch', row: { name: 'c' } },
			{ op: 'comment', comment: 'made by a test' },
			{ op: 'commit', durable: true },
		];
		expect(await session.transact(nb, operations)).toHaveLength(3);
	});

	it('undoes everything on abort', async () => {
		const operations: readonly Operation[] = [{ op: 'insert', table: 'Logical_Switch', row: { name: 'd' } }, { op: 'abort' }];
		await expect(session.transact(nb, operations)).rejects.toMatchObject({
			code: 'OVSDB_TRANSACTION',
			details: { error: 'aborted', operation: 1 },
		});
		expect(await select('Logical_Switch', ['name'])).toEqual([]);
	});

	it.each<readonly [string, Operation, string]>([
		['an unknown table', { op: 'insert', table: 'Nothing', row: {} }, 'syntax error'],
		['an unknown column', { op: 'insert', table: 'Logical_Switch', row: { nothing: 1 } }, 'unknown column'],
		['a value out of its enum', { op: 'insert', table: 'ACL', row: { action: 'pass-me', direction: 'to-lport' } }, 'constraint violation'],
	])('refuses %s with the index of its operation', async (_, operation, error) => {
		const failed = session.transact(nb, [{ op: 'comment', comment: 'first' }, operation]);
		await expect(failed).rejects.toMatchObject({ code: 'OVSDB_TRANSACTION', details: { error, operation: 1 } });
	});

	it('tells a failed commit by the index after the last operation', async () => {
		const uuid = '11111111-2222-3333-4444-555555555555';
		const dangling = session.transact(nb, [{ op: 'insert', table: 'Logical_Switch', row: { name: 'e', ports: ['uuid', uuid] } }]);
		await expect(dangling).rejects.toMatchObject({
			code: 'OVSDB_TRANSACTION',
			details: { error: 'referential integrity violation', operation: 1 },
		});
	});

	it('refuses an unknown database', async () => {
		await expect(session.transact('Nowhere', [])).rejects.toMatchObject({
			code: 'OVSDB_TRANSACTION',
			details: { error: 'unknown database' },
		});
	});
});

describe('wait', () => {
	function until(uuid: string, wanted: string, timeout?: number): Operation {
		const rows = [{ name: wanted }];
		return {
			op: 'wait',
			table: 'Logical_Switch',
			where: whereUuid(uuid),
			columns: ['name'],
			until: '==',
			rows,
			...(timeout === undefined ? {} : { timeout }),
		};
	}
	async function insertSwitch(): Promise<string> {
		const [result] = await session.transact(nb, [{ op: 'insert', table: 'Logical_Switch', row: { name: 'before' } }]);
		return result?.uuid?.[1] ?? '';
	}

	it('fails at once with a timeout of zero when the rows differ', async () => {
		const failed = session.transact(nb, [until(await insertSwitch(), 'after', 0)]);
		await expect(failed).rejects.toMatchObject({ code: 'OVSDB_TRANSACTION', details: { error: 'timed out', operation: 0 } });
	});

	it('holds its transaction back until the rows are there, without holding back others', async () => {
		const uuid = await insertSwitch();
		const waiting = session.transact(nb, [until(uuid, 'after'), { op: 'delete', table: 'Logical_Switch', where: whereUuid(uuid) }]);
		expect(await select('Logical_Switch', ['name'])).toEqual([{ name: 'before' }]);
		await session.transact(nb, [{ op: 'update', table: 'Logical_Switch', where: whereUuid(uuid), row: { name: 'after' } }]);
		expect(await waiting).toEqual([{}, { count: 1 }]);
	});

	it('is cancelled on the server when it is aborted', async () => {
		const uuid = await insertSwitch();
		const abort = new AbortController();
		const forget: Operation = { op: 'delete', table: 'Logical_Switch', where: whereUuid(uuid) };
		const waiting = session.transact(nb, [until(uuid, 'after'), forget], { signal: abort.signal });
		// Its answer proves that the server has the one before.
		await session.transact(nb, [{ op: 'comment', comment: '' }]);
		abort.abort(new Error('enough'));
		await expect(waiting).rejects.toThrow('enough');
		await session.transact(nb, [{ op: 'update', table: 'Logical_Switch', where: whereUuid(uuid), row: { name: 'after' } }]);
		expect(await select('Logical_Switch', ['name'])).toEqual([{ name: 'after' }]);
	});
});

it('speaks TCP as well', async () => {
	await using other = testSession(server.tcpEndpoint);
	await other.transact(nb, [{ op: 'insert', table: 'Logical_Switch', row: { name: 'by tcp ☎' } }]);
	expect(await select('Logical_Switch', ['name'])).toEqual([{ name: 'by tcp ☎' }]);
});
