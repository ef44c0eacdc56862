import { formatIp, type Ip } from '@tapestry/base';
import {
	buildNetwork,
	type Condition,
	decodeRow,
	type LogicalNetwork,
	nbSchema,
	nodePortName,
	type Operation,
	type ReachQuestion,
	type Row,
	snapshotOfTables,
	type Uuid,
	type WireRow,
} from '@tapestry/network';
import type { Session } from '@tapestry/ovsdb';

const columns = {
	Logical_Switch: ['name', 'ports', 'acls', 'load_balancer', 'load_balancer_group', 'external_ids'],
	Logical_Switch_Port: ['name', 'type', 'addresses', 'port_security', 'options', 'up', 'external_ids'],
	Logical_Router: ['name', 'ports', 'static_routes', 'policies', 'external_ids'],
	Logical_Router_Port: ['name', 'mac', 'networks', 'peer', 'options', 'external_ids'],
	Logical_Router_Static_Route: ['ip_prefix', 'nexthop', 'policy', 'route_table', 'output_port', 'external_ids'],
	Logical_Router_Policy: ['priority', 'match', 'action', 'nexthop', 'nexthops', 'external_ids'],
	Load_Balancer: ['name', 'protocol', 'vips', 'options', 'external_ids'],
	Load_Balancer_Group: ['name', 'load_balancer'],
	Address_Set: ['name', 'addresses', 'external_ids'],
	ACL: ['priority', 'direction', 'match', 'action', 'options', 'external_ids'],
	Port_Group: ['name', 'acls', 'external_ids'],
} as const;
type Table = keyof typeof columns;

interface Select {
	readonly table: Table;
	readonly where: readonly Condition[];
	/** All that answers need, when absent. */
	readonly columns?: readonly string[];
}

/** Rows that were read, by table. */
class Rows {
	readonly tables: { readonly [T in Table]: Map<Uuid, Row> };
	readonly #session: Session;
	readonly #signal: AbortSignal;

	constructor(session: Session, signal: AbortSignal) {
		this.#session = session;
		this.#signal = signal;
		this.tables = Object.fromEntries(Object.keys(columns).map((table) => [table, new Map()])) as unknown as Rows['tables'];
	}

	/** Reads in one transaction; what each select found. */
	async read(selects: readonly Select[]): Promise<readonly (readonly Uuid[])[]> {
		if (selects.length === 0) return [];
		const operations = selects.map(
			({ table, where, columns: some = columns[table] }): Operation => ({ op: 'select', table, where, columns: ['_uuid', ...some] }),
		);
		const results = await this.#session.transact(nbSchema.name, operations, { signal: this.#signal });
		return selects.map(({ table }, at) => (results[at]?.rows ?? []).map((row) => this.#keep(table, row)));
	}

	/** The ports that may have the address of a Vip. */
	parentsOf(ip: Ip): readonly string[] {
		const virtual = [...this.tables.Logical_Switch_Port.values()].map(
			({ options }) => options as Readonly<Record<string, string>> | undefined,
		);
		const meant = virtual.filter((options) => options?.['virtual-ip'] === formatIp(ip));
		return meant.flatMap((options) => options?.['virtual-parents']?.split(',') ?? []);
	}

	network(): LogicalNetwork {
		return buildNetwork(snapshotOfTables(nbSchema, this.tables));
	}

	#keep(table: Table, wire: WireRow): Uuid {
		// A select of some columns must leave the others as they were read before.
		const row = decodeRow(nbSchema.tables[table], wire);
		const uuid = String(row._uuid);
		this.tables[table].set(uuid, { ...this.tables[table].get(uuid), ...row });
		return uuid;
	}
}

/**
 * Reads from the Northbound database what the question touches, so that an answer costs little more beside 10,000 ports: the ports that it names, all
 * routers, and of groups and rules those of these ports. All ports are looked through only for who else has an address: what an address leads to, and,
 * where there are several VPCs, whose memberships it stands for in sets of addresses.
 */
export async function readNetwork(
	session: Session,
	{ from, to }: Pick<ReachQuestion, 'from' | 'to'>,
	nodes: readonly string[],
	signal: AbortSignal,
): Promise<LogicalNetwork> {
	const rows = new Rows(session, signal);
	const isAddress = to.kind !== 'workload';
	const names = [from.port, ...(isAddress ? [] : [to.port]), ...nodes.map(nodePortName)];
	const whole: readonly Table[] = [
		'Logical_Switch',
		'Logical_Router',
		'Logical_Router_Port',
		'Logical_Router_Static_Route',
		'Logical_Router_Policy',
		'Address_Set',
		...(isAddress ? (['Load_Balancer', 'Load_Balancer_Group'] as const) : []),
	];
	const ofType = (type: string): Select => ({ table: 'Logical_Switch_Port', where: [['type', '==', type]] });
	await rows.read([
		...names.map(portNamed),
		ofType('router'),
		ofType('virtual'),
		ofType('localnet'),
		...whole.map((table) => ({ table, where: [] })),
	]);
	if (isAddress || rows.tables.Logical_Router.size > 1) await rows.read([everyAddress]);
	const network = rows.network();
	const found = [from.port, ...(isAddress ? [] : [to.port])].flatMap((name) => addressesOf(network, name));
	const asked = isAddress ? [to.address, ...endpointsOf(network, from.port, to.address)] : [];
	const parents = asked.flatMap((ip) => rows.parentsOf(ip));
	const others = new Set([...parents, ...[...found, ...asked].flatMap((ip) => network.holders(ip).map(({ name }) => name))]);
	for (const name of names) others.delete(name);
	await rows.read([...others].map(portNamed));
	await readGroups(rows, new Set([...names, ...others]));
	return rows.network();
}

function portNamed(name: string): Select {
	return { table: 'Logical_Switch_Port', where: [['name', '==', name]] };
}

const everyAddress: Select = { table: 'Logical_Switch_Port', where: [], columns: ['name', 'type', 'addresses'] };

function addressesOf(network: LogicalNetwork, port: string): readonly Ip[] {
	return network.port(port)?.addresses.flatMap(({ ips }) => ips) ?? [];
}

/** Addresses of the endpoints, when the address is a Service's. */
function endpointsOf(network: LogicalNetwork, from: string, address: Ip): readonly Ip[] {
	const own = network.switch(network.port(from)?.switch ?? '');
	const vips = (own?.balancers ?? []).flatMap(({ vips: all }) => all);
	const meant = vips.filter(({ ip }) => ip.family === address.family && ip.value === address.value);
	return meant.flatMap(({ backends }) => backends.map(({ ip }) => ip));
}

/** The groups that the ports are in, as if they had no other ports, and the rules of these and of the switches. */
async function readGroups(rows: Rows, names: ReadonlySet<string>): Promise<void> {
	const ports = [...rows.tables.Logical_Switch_Port].filter(([, row]) => names.has(String(row.name))).map(([uuid]) => uuid);
	const includes = (uuid: Uuid): Select => ({ table: 'Port_Group', where: [['ports', 'includes', ['uuid', uuid]]] });
	// A group that is not known makes an expression void, so the others have to be known too, as groups without any of these ports.
	const found = await rows.read([...ports.map(includes), { table: 'Port_Group', where: [], columns: ['name'] }]);
	const members = new Map<Uuid, Uuid[]>();
	for (const [at, port] of ports.entries()) {
		for (const group of found[at] ?? []) members.set(group, [...(members.get(group) ?? []), port]);
	}
	const { Port_Group: groups, Logical_Switch: switches } = rows.tables;
	for (const [uuid, row] of groups) groups.set(uuid, { ...row, ports: members.get(uuid) ?? [] });
	const holders: readonly Row[] = [...[...members.keys()].flatMap((uuid) => rowsOf(groups, uuid)), ...switches.values()];
	const acls = new Set(holders.flatMap((row) => (row.acls ?? []) as readonly Uuid[]));
	await rows.read([...acls].map((uuid) => ({ table: 'ACL', where: [['_uuid', '==', ['uuid', uuid]]] })));
}

function rowsOf(table: ReadonlyMap<Uuid, Row>, uuid: Uuid): readonly Row[] {
	const row = table.get(uuid);
	return row ? [row] : [];
}
