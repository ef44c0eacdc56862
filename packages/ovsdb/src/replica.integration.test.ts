import { nbSchema, type Operation, type WireRow, type WireValue, whereUuid } from '@tapestry/network';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nbSchemaPath, type OvsdbServer, startOvsdbServer } from './testing/server.ts';
import { canonical, nextChange, selectAll, testSession } from './testing/session.ts';
import type { Session } from './types.ts';

const nb = 'OVN_Northbound';
const tables = ['Logical_Switch', 'Logical_Switch_Port', 'Address_Set', 'DHCP_Options'] as const;
let server: OvsdbServer;
let reader: Session;
let writer: Session;

beforeAll(async () => {
	server = await startOvsdbServer({ schemaPath: nbSchemaPath });
	reader = testSession(server.endpoint);
	writer = testSession(server.endpoint);
});
afterAll(async () => {
	await reader?.close();
	await writer?.close();
	await server?.stop();
});
beforeEach(clear);

async function clear(): Promise<void> {
	const roots = tables.filter((table) => nbSchema.tables[table].isRoot);
	await writer.transact(
		nb,
		roots.map((table) => ({ op: 'delete', table, where: [] })),
	);
}

// Few names and values, so that conditions hit, sets overlap and ports move in and out of a monitor's condition.
const name = fc.constantFrom('a', 'b', 'c', 'd');
const map = fc.dictionary(name, fc.constantFrom('1', '2', 'ü')).map((record): WireValue => ['map', Object.entries(record)]);
const set = fc.uniqueArray(name).map((items): WireValue => ['set', items]);
const port = fc.record(
	{
		type: fc.constantFrom('', 'router'),
		options: map,
		external_ids: map,
		addresses: set,
		tag_request: fc.option(fc.integer({ min: 0, max: 3 }), { nil: ['set', []] as WireValue }),
		enabled: fc.constantFrom<WireValue>(['set', []], true, false),
	},
	{ requiredKeys: [] },
);
const operations: fc.Arbitrary<readonly Operation[]> = fc.oneof(
	fc.tuple(name, name, port).map(([owner, portName, row]) => withPort(owner, portName, row as WireRow)),
	fc.tuple(name, port).map(([portName, row]) => [onPorts(portName, row as WireRow)]),
	fc.tuple(name, map).map(([at, row]): readonly Operation[] => [{ op: 'insert', table: 'DHCP_Options', row: { cidr: at, options: row } }]),
	fc.tuple(name, set).map(([at, addresses]): readonly Operation[] => [
		{ op: 'delete', table: 'Address_Set', where: [['name', '==', at]] },
		{ op: 'insert', table: 'Address_Set', row: { name: at, addresses } },
	]),
	fc.tuple(name, fc.constantFrom('insert' as const, 'delete' as const), set).map(([at, mutator, value]): readonly Operation[] => [
		{ op: 'mutate', table: 'Address_Set', where: [['name', '==', at]], mutations: [['addresses', mutator, value]] },
		{ op: 'mutate', table: 'Logical_Switch_Port', where: [['type', '==', 'router']], mutations: [['addresses', mutator, value]] },
	]),
	fc
		.tuple(fc.constantFrom('Logical_Switch', 'DHCP_Options'), name)
		.map(([table, at]): readonly Operation[] => [{ op: 'delete', table, where: [[table === 'DHCP_Options' ? 'cidr' : 'name', '==', at]] }]),
);

let serial = 0;
/** A new port (port names are unique in the database) on new and old switches of one name. */
function withPort(owner: string, portName: string, row: WireRow): readonly Operation[] {
	const ports: WireValue = ['set', [['named-uuid', 'p']]];
	return [
		{
			op: 'insert',
			table: 'Logical_Switch_Port',
			row: { ...row, name: `${portName}${serial++}`, parent_name: portName },
			'uuid-name': 'p',
		},
		{ op: 'insert', table: 'Logical_Switch', row: { name: owner, ports } },
		{ op: 'mutate', table: 'Logical_Switch', where: [['name', '==', owner]], mutations: [['ports', 'insert', ports]] },
	];
}
function onPorts(portName: string, row: WireRow): Operation {
	return { op: 'update', table: 'Logical_Switch_Port', where: [['parent_name', '==', portName]], row };
}

describe('replica', () => {
	it('equals the server after any transactions, in full and by condition, from whenever it began', async () => {
		const request = Object.fromEntries(tables.map((table) => [table, {}]));
		const early = await reader.monitor(nb, request);
		const routers = await reader.monitor(nb, {
			Logical_Switch_Port: { columns: ['type', 'addresses'], where: [['type', '==', 'router']] },
		});
		const pipelined = fc.asyncProperty(fc.array(operations, { minLength: 1, maxLength: 12 }), fc.nat(), async (transactions, split) => {
			await clear();
			const half = split % transactions.length;
			await Promise.all(transactions.slice(0, half).map((transaction) => writer.transact(nb, transaction)));
			await using lateReader = testSession(server.tcpEndpoint);
			const late = await lateReader.monitor(nb, request);
			await Promise.all(transactions.slice(half).map((transaction) => writer.transact(nb, transaction)));
			await Promise.all([early.settled(), late.settled(), routers.settled()]);
			for (const table of tables) {
				const content = canonical(await selectAll(writer, nbSchema, table));
				expect(canonical(early.table(table))).toEqual(content);
				expect(canonical(late.table(table))).toEqual(content);
			}
			const ports = [...early.table('Logical_Switch_Port')].filter(([, row]) => row.type === 'router');
			const wanted = ports.map(([uuid, { _uuid, type, addresses }]) => [uuid, { _uuid, type, addresses }] as const);
			expect(canonical(routers.table('Logical_Switch_Port'))).toEqual(canonical(new Map(wanted)));
		});
		await fc.assert(pipelined, { numRuns: 60 });
	});

	it('tells the changes that lead from one content to the next', async () => {
		const replica = await reader.monitor(nb, { Address_Set: { columns: ['name', 'addresses'] } });
		const inserted = nextChange(replica);
		const [result] = await writer.transact(nb, [{ op: 'insert', table: 'Address_Set', row: { name: 's', addresses: '10.0.0.1' } }]);
		const uuid = result?.uuid?.[1] ?? '';
		const row = { _uuid: uuid, name: 's', addresses: ['10.0.0.1'] };
		expect(await inserted).toEqual({ changes: [{ table: 'Address_Set', uuid, before: undefined, after: row }], reset: false });

		const held = replica.table('Address_Set').get(uuid);
		const modified = nextChange(replica);
		await writer.transact(nb, [{ op: 'update', table: 'Address_Set', where: whereUuid(uuid), row: { addresses: '10.0.0.2' } }]);
		const { changes } = await modified;
		expect(changes).toEqual([{ table: 'Address_Set', uuid, before: row, after: { ...row, addresses: ['10.0.0.2'] } }]);
		expect(changes[0]?.before).toBe(held);
		expect(held).toEqual(row);
		expect(Object.isFrozen(replica.table('Address_Set').get(uuid))).toBe(true);

		const deleted = nextChange(replica);
		await writer.transact(nb, [{ op: 'delete', table: 'Address_Set', where: whereUuid(uuid) }]);
		expect((await deleted).changes).toMatchObject([{ uuid, after: undefined }]);
	});

	it('is settled when all that was committed before is in, by whichever session', async () => {
		const replica = await reader.monitor(nb, { Address_Set: { columns: ['name'] } });
		for (let round = 0; round < 100; round++) {
			const session = round % 2 === 0 ? writer : reader;
			await session.transact(nb, [{ op: 'insert', table: 'Address_Set', row: { name: `s${round}` } }]);
			await replica.settled();
			expect(replica.table('Address_Set').size).toBe(round + 1);
		}
	});

	it('has an own transaction in it before its answer', async () => {
		const replica = await writer.monitor(nb, { Address_Set: { columns: ['name'] } });
		for (let round = 0; round < 100; round++) {
			await writer.transact(nb, [{ op: 'insert', table: 'Address_Set', row: { name: `s${round}` } }]);
			expect(replica.table('Address_Set').size).toBe(round + 1);
		}
	});

	it('holds 10,000 rows that came in one message', async () => {
		const rows = Array.from(
			{ length: 10_000 },
			(_, index): WireRow => ({ cidr: `10.0.0.${index}`, options: ['map', [['router', `${index}`]]] }),
		);
		await writer.transact(
			nb,
			rows.map((row) => ({ op: 'insert', table: 'DHCP_Options', row })),
		);
		const replica = await reader.monitor(nb, { DHCP_Options: {} });
		const got = new Set([...replica.table('DHCP_Options').values()].map((row) => row.cidr));
		expect(got.size).toBe(10_000);
	});

	it('is refused with the name of what the schema lacks', async () => {
		await expect(reader.monitor(nb, { Nothing: {} })).rejects.toMatchObject({
			code: 'OVSDB_SCHEMA',
			text: { what: expect.stringContaining('table Nothing') },
		});
		const column = reader.monitor(nb, { ACL: { columns: ['name', 'tier_x'] } });
		await expect(column).rejects.toMatchObject({
			code: 'OVSDB_SCHEMA',
			text: { what: expect.stringContaining('column tier_x in table ACL') },
		});
		await expect(reader.monitor('Nowhere', {})).rejects.toMatchObject({
			code: 'OVSDB_SCHEMA',
			text: { what: expect.stringContaining('Nowhere') },
		});
	});
});
