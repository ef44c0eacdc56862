import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nbSchema } from '../schema/nb.generated.ts';
import type { Row } from '../schema/wire.ts';
import type { DesiredRow, Fragment, Owner } from './model.ts';
import { ownedName } from './ownership.ts';
import { Planner } from './planner.ts';
import { MemoryDatabase } from './testing/memory-database.ts';
import { verify } from './verify.ts';

type World = ReadonlyMap<Owner, Fragment>;

/** Plans until nothing is left to do and returns the number of transactions. */
function converge(planner: Planner, database: MemoryDatabase): number {
	for (let rounds = 0; rounds < 10; rounds++) {
		const { operations } = planner.plan(planner.takeDirty());
		if (operations.length > 0) planner.observe(database.transact(operations));
		else if (!planner.hasDirty) return rounds;
	}
	throw new Error('does not converge');
}

function newPlanner(database: MemoryDatabase, world: World): Planner {
	const planner = new Planner(nbSchema);
	for (const [owner, fragment] of world) planner.want(owner, fragment);
	planner.reset(database.tables);
	return planner;
}

const switchName = (key: string) => ({ table: 'Logical_Switch', key });
const groupOwner = 'Vpc/v';
const group = { table: 'Load_Balancer_Group', key: ownedName(groupOwner) };

/** Switches, ports in them that may use DHCP options, address sets, balancers in a group, ports in groups that hold them weakly: each kind of reference that the compiler uses. */
const fragments: fc.Arbitrary<World> = fc
	.record({
		group: fc.boolean(),
		switches: fc.dictionary(
			fc.constantFrom('s1', 's2'),
			fc.record({ dhcp: fc.boolean(), note: fc.constantFrom('a', 'b'), grouped: fc.boolean() }),
		),
		ports: fc.dictionary(
			fc.constantFrom('p1', 'p2', 'p3', 'p4'),
			fc.record({
				on: fc.constantFrom('s1', 's2'),
				address: fc.constantFrom('x', 'y'),
				dhcp: fc.boolean(),
				groups: fc.subarray(['g1', 'g2']),
			}),
		),
		portGroups: fc.subarray(['g1', 'g2']),
		sets: fc.dictionary(fc.constantFrom('a1', 'a2'), fc.uniqueArray(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'))),
		balancers: fc.dictionary(fc.constantFrom('b1', 'b2'), fc.record({ grouped: fc.boolean(), on: fc.subarray(['s1', 's2']) })),
	})
	.map(({ group: hasGroup, switches, ports, portGroups, sets, balancers }) => {
		const world = new Map<Owner, Fragment>();
		const add = (owner: Owner, ...rows: DesiredRow[]) => world.set(owner, { rows });
		if (hasGroup) add(groupOwner, { ...group, columns: { name: group.key }, listedIn: [] });
		for (const [name, { dhcp, note }] of Object.entries(switches)) {
			const rows: DesiredRow[] = [{ ...switchName(name), columns: { name, other_config: { note } }, listedIn: [] }];
			if (dhcp) rows.push({ table: 'DHCP_Options', key: name, columns: { cidr: '10.0.0.0/8', options: { note } }, listedIn: [] });
			add(`Subnet/${name}`, ...rows);
		}
		for (const [name, { on, address, dhcp, groups }] of Object.entries(ports)) {
			add(`IP/${name}`, {
				table: 'Logical_Switch_Port',
				key: `${on}/${name}`,
				columns: { name, addresses: [address], dhcpv4_options: dhcp ? { table: 'DHCP_Options', key: on } : undefined },
				listedIn: [{ ...switchName(on), column: 'ports' }, ...groups.map((key) => ({ table: 'Port_Group', key, column: 'ports' }))],
			});
		}
		for (const key of portGroups) add(`Selector/${key}`, { table: 'Port_Group', key, columns: { name: key }, listedIn: [] });
		for (const [name, addresses] of Object.entries(sets)) {
			add(`IPPool/${name}`, { table: 'Address_Set', key: name, columns: { name, addresses }, listedIn: [] });
		}
		for (const [name, { grouped, on }] of Object.entries(balancers)) {
			const places = on.map((one) => ({ ...switchName(one), column: 'load_balancer' }));
			if (grouped) places.push({ ...group, column: 'load_balancer' });
			add(`Service/${name}`, { table: 'Load_Balancer', key: name, columns: { name, vips: { v: name } }, listedIn: places });
		}
		return world;
	});

function foreignRows(database: MemoryDatabase): void {
	database.transact([
		{ op: 'insert', table: 'Logical_Switch_Port', 'uuid-name': 'p', row: { name: 'theirs' } },
		{ op: 'insert', table: 'Logical_Switch', 'uuid-name': 's', row: { name: 's1', ports: ['named-uuid', 'p'] } },
		{ op: 'insert', table: 'Load_Balancer', 'uuid-name': 'l', row: { name: 'theirs' } },
	]);
}

function rowsNamed(database: MemoryDatabase, table: string, name: string): Row[] {
	return [...(database.tables[table]?.values() ?? [])].filter((row) => row.name === name);
}

describe('Planner', () => {
	it('takes a database from any fragments to any others, once', () => {
		fc.assert(
			fc.property(fragments, fragments, (a, b) => {
				const database = new MemoryDatabase(nbSchema);
				foreignRows(database);
				const planner = newPlanner(database, a);
				converge(planner, database);
				for (const owner of a.keys()) if (!b.has(owner)) planner.want(owner, undefined);
				for (const [owner, fragment] of b) planner.want(owner, fragment);
				converge(planner, database);

				const complete = verify(nbSchema, b, database.tables);
				expect(complete.filter(({ kind }) => kind !== 'missing')).toEqual([]);
				// What is left waits for something that nobody wants.
				const wanted = new Set([...b.values()].flatMap(({ rows }) => rows.map(({ table, key }) => `${table} ${key}`)));
				for (const one of complete) {
					if (one.kind === 'missing') expect(one.names.every(({ table, key }) => wanted.has(`${table} ${key}`))).toBe(false);
				}
				// Where nothing waits, the way does not matter. (A row that waits keeps what it had; a new one is not written.)
				if (complete.length > 0) return;
				const fresh = new MemoryDatabase(nbSchema);
				foreignRows(fresh);
				converge(newPlanner(fresh, b), fresh);
				expect(content(database)).toEqual(content(fresh));
				expect(rowsNamed(database, 'Logical_Switch_Port', 'theirs')).toHaveLength(1);
				expect(rowsNamed(database, 'Load_Balancer', 'theirs')).toHaveLength(1);
			}),
			{ numRuns: 300 },
		);
	});

	it('heals any row of ours that somebody deleted or changed', () => {
		fc.assert(
			fc.property(fragments, fc.nat(), (world, pick) => {
				const database = new MemoryDatabase(nbSchema);
				const planner = newPlanner(database, world);
				converge(planner, database);
				const before = content(database);
				const roots = ['Logical_Switch', 'DHCP_Options', 'Address_Set', 'Load_Balancer'].flatMap((table) =>
					[...(database.tables[table]?.keys() ?? [])].map((uuid) => ({ table, uuid })),
				);
				const victim = roots[pick % Math.max(1, roots.length)];
				if (!victim) return;
				planner.observe(database.transact([{ op: 'delete', table: victim.table, where: [['_uuid', '==', ['uuid', victim.uuid]]] }]));
				converge(planner, database);
				expect(content(database)).toEqual(before);
			}),
			{ numRuns: 200 },
		);
	});

	it('writes members of one set with one mutation and only the columns that differ', () => {
		const database = new MemoryDatabase(nbSchema);
		const planner = newPlanner(database, new Map([['Subnet/s', { rows: [{ ...switchName('s'), columns: { name: 's' }, listedIn: [] }] }]]));
		converge(planner, database);
		const port = (name: string, address: string): Fragment => ({
			rows: [
				{
					table: 'Logical_Switch_Port',
					key: name,
					columns: { name, type: '', addresses: [address] },
					listedIn: [{ ...switchName('s'), column: 'ports' }],
				},
			],
		});
		for (const name of ['p1', 'p2', 'p3']) planner.want(`IP/${name}`, port(name, 'a'));
		const first = planner.plan(planner.takeDirty());
		expect(first.operations.map(({ op }) => op)).toEqual(['insert', 'insert', 'insert', 'mutate']);
		planner.observe(database.transact(first.operations));
		converge(planner, database);
		planner.want('IP/p2', port('p2', 'b'));
		const uuid = rowsNamed(database, 'Logical_Switch_Port', 'p2')[0]?._uuid as string;
		expect(planner.plan(planner.takeDirty()).operations).toEqual([
			{
				op: 'mutate',
				table: 'Logical_Switch_Port',
				where: [['_uuid', '==', ['uuid', uuid]]],
				mutations: [
					['addresses', 'insert', ['set', ['b']]],
					['addresses', 'delete', ['set', ['a']]],
				],
			},
		]);
	});

	it("leaves a stranger's row alone that has the name we want, and takes the name when it is free", () => {
		const database = new MemoryDatabase(nbSchema);
		foreignRows(database);
		const world: World = new Map([
			[
				'Subnet/s',
				{
					rows: [
						{ ...switchName('s'), columns: { name: 's' }, listedIn: [] },
						{ table: 'Logical_Switch_Port', key: 'p', columns: { name: 'theirs' }, listedIn: [{ ...switchName('s'), column: 'ports' }] },
					],
				},
			],
		]);
		const planner = newPlanner(database, world);
		const plan = planner.plan(planner.takeDirty());
		expect(plan.obstacles.get('Subnet/s')).toMatchObject([{ kind: 'taken', columns: ['name'] }]);
		planner.observe(database.transact(plan.operations));
		converge(planner, database);
		const theirs = rowsNamed(database, 'Logical_Switch', 's1')[0]?._uuid as string;
		planner.observe(database.transact([{ op: 'delete', table: 'Logical_Switch', where: [['_uuid', '==', ['uuid', theirs]]] }]));
		converge(planner, database);
		expect(verify(nbSchema, world, database.tables)).toEqual([]);
	});

	it("leaves a stranger's set alone that lists a row of ours, and empties our own set", () => {
		const database = new MemoryDatabase(nbSchema);
		foreignRows(database);
		const balancer = (listedIn: DesiredRow['listedIn']): Fragment => ({
			rows: [{ table: 'Load_Balancer', key: 'b', columns: { name: 'b' }, listedIn }],
		});
		const world: World = new Map([
			['Subnet/s', { rows: [{ ...switchName('s'), columns: { name: 's' }, listedIn: [] }] }],
			['Service/b', balancer([{ ...switchName('s'), column: 'load_balancer' }])],
		]);
		const planner = newPlanner(database, world);
		converge(planner, database);
		const [theirs] = rowsNamed(database, 'Logical_Switch', 's1');
		const ours = String(rowsNamed(database, 'Load_Balancer', 'b')[0]?._uuid);
		const where = [['_uuid', '==', ['uuid', String(theirs?._uuid)]]] as const;
		planner.observe(
			database.transact([
				{ op: 'mutate', table: 'Logical_Switch', where, mutations: [['load_balancer', 'insert', ['set', [['uuid', ours]]]]] },
			]),
		);
		planner.want('Service/b', balancer([]));
		converge(planner, database);
		expect(rowsNamed(database, 'Logical_Switch', 's1')[0]?.load_balancer).toEqual([ours]);
		expect(rowsNamed(database, 'Logical_Switch', 's')[0]?.load_balancer).toEqual([]);
	});

	it("keeps strangers' keys in external_ids and restores ours", () => {
		const database = new MemoryDatabase(nbSchema);
		const world: World = new Map([
			['Subnet/s', { rows: [{ ...switchName('s'), columns: { name: 's', external_ids: { note: 'ours' } }, listedIn: [] }] }],
		]);
		const planner = newPlanner(database, world);
		converge(planner, database);
		const [row] = rowsNamed(database, 'Logical_Switch', 's');
		const ids = { ...(row?.external_ids as Record<string, string>), note: 'changed', theirs: 'kept' };
		planner.observe(
			database.transact([
				{
					op: 'update',
					table: 'Logical_Switch',
					where: [['_uuid', '==', ['uuid', String(row?._uuid)]]],
					row: { external_ids: ['map', Object.entries(ids)] },
				},
			]),
		);
		converge(planner, database);
		expect(rowsNamed(database, 'Logical_Switch', 's')[0]?.external_ids).toMatchObject({ note: 'ours', theirs: 'kept' });
	});

	it('removes a copy of a row of ours', () => {
		const database = new MemoryDatabase(nbSchema);
		const world: World = new Map([['Subnet/s', { rows: [{ ...switchName('s'), columns: { name: 's' }, listedIn: [] }] }]]);
		const planner = newPlanner(database, world);
		converge(planner, database);
		const [row] = rowsNamed(database, 'Logical_Switch', 's');
		const ids = Object.entries(row?.external_ids as Record<string, string>);
		planner.observe(
			database.transact([{ op: 'insert', table: 'Logical_Switch', 'uuid-name': 'c', row: { name: 's', external_ids: ['map', ids] } }]),
		);
		converge(planner, database);
		expect(rowsNamed(database, 'Logical_Switch', 's')).toHaveLength(1);
	});

	it('refuses two owners of one row', () => {
		const planner = new Planner(nbSchema);
		const fragment = { rows: [{ ...switchName('s'), columns: { name: 's' }, listedIn: [] }] };
		planner.want('Subnet/a', fragment);
		expect(() => planner.want('Subnet/b', fragment)).toThrow(expect.objectContaining({ code: 'PLAN_KEY' }));
	});
});

/** All rows with references replaced by the names of the rows, so that two databases compare. */
function content(database: MemoryDatabase): unknown {
	const names = new Map<string, string>();
	for (const [table, rows] of Object.entries(database.tables)) {
		for (const [uuid, row] of rows) {
			const ids = row.external_ids as Record<string, string> | undefined;
			names.set(uuid, `${table} ${ids?.['tapestry-key'] ?? row.name}`);
		}
	}
	const plain = (value: unknown): unknown => {
		if (typeof value === 'string') return names.get(value) ?? value;
		return Array.isArray(value) ? value.map(plain).sort() : value;
	};
	return Object.entries(database.tables).flatMap(([table, rows]) =>
		[...rows.values()]
			.map((row) => JSON.stringify([table, Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)]))]))
			.sort(),
	);
}
