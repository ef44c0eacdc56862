import { copyFile } from 'node:fs/promises';
import type { Operation } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { startProxy } from './testing/proxy.ts';
import { nbSchemaPath, startOvsdbServer } from './testing/server.ts';
import { nextChange, nextConnection, testSession } from './testing/session.ts';
import type { Replica } from './types.ts';

const nb = 'OVN_Northbound';
function addSet(name: string): Operation {
	return { op: 'insert', table: 'Address_Set', row: { name } };
}
function names(replica: Replica): readonly unknown[] {
	return [...replica.table('Address_Set').values()].map((row) => row.name).sort();
}

describe('a session whose server is killed', () => {
	it('reads a standalone database anew and reports only what differs', async () => {
		await using server = await startOvsdbServer({ schemaPath: nbSchemaPath });
		await using session = testSession(server.endpoint);
		const replica = await session.monitor(nb, { Address_Set: {} });
		await session.transact(nb, [addSet('kept'), { op: 'commit', durable: true }]);
		const [before] = replica.table('Address_Set').values();
		await server.kill();
		const change = nextChange(replica);
		await server.restart();
		expect(await change).toEqual({ changes: [], reset: true });
		expect([...replica.table('Address_Set').values()][0]).toBe(before);
	});

	it('resumes a clustered database with what it missed, and no more', async () => {
		await using server = await startOvsdbServer({ schemaPath: nbSchemaPath, clustered: true });
		await using proxy = await startProxy(`${server.database}.proxy`, server.endpoint.replace('unix:', ''));
		await using session = testSession(proxy.endpoint);
		const replica = await session.monitor(nb, { Address_Set: {} });
		await session.transact(nb, [addSet('early')]);
		await proxy.cut();
		await server.kill();
		await server.restart();
		await using other = testSession(server.endpoint);
		await other.transact(nb, [addSet('late')]);

		const change = nextChange(replica);
		await proxy.mend();
		const { changes, reset } = await change;
		expect(reset).toBe(false);
		expect(changes).toMatchObject([{ before: undefined, after: { name: 'late' } }]);
		expect(names(replica)).toEqual(['early', 'late']);
	});

	it.each([false, true])('takes over the content of an older database (clustered: %s)', async (clustered) => {
		await using server = await startOvsdbServer({ schemaPath: nbSchemaPath, clustered });
		await using session = testSession(server.endpoint);
		const replica = await session.monitor(nb, { Address_Set: {} });
		await session.transact(nb, [addSet('old'), { op: 'commit', durable: true }]);
		const backup = `${server.database}.backup`;
		await copyFile(server.database, backup);
		await session.transact(nb, [addSet('lost'), { op: 'delete', table: 'Address_Set', where: [['name', '==', 'old']] }]);
		await replica.settled();
		expect(names(replica)).toEqual(['lost']);

		await server.kill();
		await copyFile(backup, server.database);
		const change = nextChange(replica);
		await server.restart();
		const { changes, reset } = await change;
		expect(reset).toBe(true);
		expect(changes.map(({ before, after }) => [before?.name, after?.name])).toEqual([
			['lost', undefined],
			[undefined, 'old'],
		]);
		expect(names(replica)).toEqual(['old']);
	});

	it('fails what is in flight with an unknown outcome, and carries out what is asked for meanwhile', async () => {
		await using server = await startOvsdbServer({ schemaPath: nbSchemaPath });
		await using session = testSession(server.endpoint);
		const forever: Operation = { op: 'wait', table: 'Address_Set', where: [], columns: ['name'], until: '==', rows: [{ name: 'never' }] };
		const inFlight = session.transact(nb, [forever]);
		await session.transact(nb, [{ op: 'comment', comment: 'the one before has arrived' }]);
		const failed = expect(inFlight).rejects.toMatchObject({
			code: 'OVSDB_DISCONNECTED',
			text: { why: expect.stringContaining('may or may not') },
		});
		await server.kill();
		await failed;
		expect(session.connected).toBe(false);
		const [meanwhile, replica] = [session.transact(nb, [addSet('meanwhile')]), session.monitor(nb, { Address_Set: {} })];
		await server.restart();
		await meanwhile;
		await (await replica).settled();
		expect(names(await replica)).toEqual(['meanwhile']);
	});

	it('ends what waits when it is closed or the caller gives up', async () => {
		await using server = await startOvsdbServer({ schemaPath: nbSchemaPath });
		const session = testSession(server.endpoint);
		const replica = await session.monitor(nb, { Address_Set: {} });
		const disconnected = nextConnection(session, false);
		await server.kill();
		await disconnected;
		const abort = new AbortController();
		const given = session.transact(nb, [], { signal: abort.signal });
		abort.abort(new Error('enough'));
		await expect(given).rejects.toThrow('enough');
		const waiting = [session.transact(nb, []), session.monitor(nb, {}), replica.settled()];
		const ended = Promise.allSettled(waiting);
		await session.close();
		for (const result of await ended) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'OVSDB_CLOSED' } });
		await expect(session.transact(nb, [])).rejects.toMatchObject({ code: 'OVSDB_CLOSED' });
	});
});
