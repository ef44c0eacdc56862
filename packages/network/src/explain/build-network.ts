import { type Family, parseIp } from '@tapestry/base';
import type { LogicalNetwork, LogicalRouter, LogicalSwitch, Rule } from './logical-network.ts';
import { list, map, readAcl, readBalancer, readPolicy, readRoute, readRouterPort, readSwitchPort, text } from './read-rows.ts';
import type { Snapshot, SnapshotRow } from './snapshot.ts';

/** Makes the logical network of Northbound rows. A row is read when a packet comes to it, because a question meets few of many. */
export function buildNetwork(snapshot: Snapshot): LogicalNetwork {
	const index = new RowIndex(snapshot);
	const switches = new Map<string, LogicalSwitch>();
	const routers = new Map<string, LogicalRouter>();
	const addressSets = new Map<string, readonly string[]>();
	const portOf = (row: SnapshotRow) => {
		const owner = index.switchOf.get(row.id);
		return owner && readSwitchPort(row, owner.id);
	};
	return {
		switch: (id) => remembered(switches, id, () => readSwitch(index, id)),
		router: (id) => remembered(routers, id, () => readRouter(index, id)),
		port: (name) => {
			const row = index.ports.get(name);
			return row && portOf(row);
		},
		routerPort: (name) => {
			const row = index.routerPorts.get(name);
			const owner = row && index.routerOf.get(row.id);
			return row && owner && readRouterPort(row, owner.id, index.switchSide.get(name));
		},
		holders: (ip) => (index.holders(ip.family).get(ip.value) ?? []).flatMap((row) => portOf(row) ?? []),
		addressSet: (name) =>
			remembered(addressSets, name, () => {
				const set = index.addressSets.get(name);
				return set ? list(set, 'addresses') : index.groupAddresses(name);
			}),
		isInGroup: (port, group) => {
			const row = index.ports.get(port);
			return index.groupMembers.get(group)?.has(row?.id ?? '');
		},
	};
}

function readSwitch(index: RowIndex, id: string): LogicalSwitch | undefined {
	const row = index.byId.get(id);
	if (!row) return undefined;
	const groups = new Set(list(row, 'ports').flatMap((port) => index.groupsOf.get(port) ?? []));
	const balancers = [row, ...index.at(row, 'load_balancer_group')].flatMap((holder) => index.at(holder, 'load_balancer'));
	return {
		name: text(row, 'name'),
		uplinks: index
			.at(row, 'ports')
			.filter((port) => text(port, 'type') !== '' || list(port, 'addresses').includes('unknown'))
			.map((port) => readSwitchPort(port, id)),
		acls: [row, ...groups]
			.flatMap((holder) => index.at(holder, 'acls'))
			.map(readAcl)
			.sort(byPriority),
		balancers: balancers.map(readBalancer),
		origin: row.origin,
	};
}

function readRouter(index: RowIndex, id: string): LogicalRouter | undefined {
	const row = index.byId.get(id);
	if (!row) return undefined;
	return {
		name: text(row, 'name'),
		ports: index.at(row, 'ports').map((port) => readRouterPort(port, id, index.switchSide.get(text(port, 'name')))),
		routes: index.at(row, 'static_routes').flatMap((route) => readRoute(route) ?? []),
		policies: index.at(row, 'policies').map(readPolicy).sort(byPriority),
		origin: row.origin,
	};
}

/** The rows by the ways that lead to them. */
class RowIndex {
	readonly byId: ReadonlyMap<string, SnapshotRow>;
	readonly ports: ReadonlyMap<string, SnapshotRow>;
	readonly routerPorts: ReadonlyMap<string, SnapshotRow>;
	readonly addressSets: ReadonlyMap<string, SnapshotRow>;
	readonly switchOf: ReadonlyMap<string, SnapshotRow>;
	readonly routerOf: ReadonlyMap<string, SnapshotRow>;
	/** Name of the switch's port, by that of the router's port that it leads to. */
	readonly switchSide: ReadonlyMap<string, string>;
	readonly groupMembers: ReadonlyMap<string, ReadonlySet<string>>;
	/** By the id of a port. */
	readonly groupsOf: ReadonlyMap<string, readonly SnapshotRow[]>;
	readonly #ports: readonly SnapshotRow[];
	readonly #holders = new Map<Family, ReadonlyMap<bigint, readonly SnapshotRow[]>>();

	constructor(snapshot: Snapshot) {
		const all = (table: string) => snapshot[table] ?? [];
		const byName = (table: string) => new Map(all(table).map((row) => [text(row, 'name'), row]));
		const byMember = (table: string) => new Map(all(table).flatMap((row) => list(row, 'ports').map((member) => [member, row] as const)));
		this.byId = new Map(Object.values(snapshot).flatMap((rows) => rows.map((row) => [row.id, row] as const)));
		this.ports = byName('Logical_Switch_Port');
		this.routerPorts = byName('Logical_Router_Port');
		this.addressSets = byName('Address_Set');
		this.switchOf = byMember('Logical_Switch');
		this.routerOf = byMember('Logical_Router');
		this.#ports = all('Logical_Switch_Port');
		const sides = this.#ports.filter((row) => text(row, 'type') === 'router');
		this.switchSide = new Map(sides.map((row) => [String(map(row, 'options')['router-port'] ?? ''), text(row, 'name')]));
		this.groupMembers = new Map(all('Port_Group').map((row) => [text(row, 'name'), new Set(list(row, 'ports'))]));
		const groupsOf = new Map<string, SnapshotRow[]>();
		for (const group of all('Port_Group')) {
			for (const id of list(group, 'ports')) {
				const groups = groupsOf.get(id);
				if (groups) groups.push(group);
				else groupsOf.set(id, [group]);
			}
		}
		this.groupsOf = groupsOf;
	}

	/** The rows that a set column of the row refers to. */
	at(row: SnapshotRow, column: string): readonly SnapshotRow[] {
		return list(row, column).flatMap((id) => this.byId.get(id) ?? []);
	}

	/** ovn-northd keeps the addresses of a group's ports in the sets `<group>_ip4` and `<group>_ip6` (ovn-nb(5), Port_Group). */
	groupAddresses(name: string): readonly string[] | undefined {
		const [, group = '', family] = /^(.+)_ip([46])$/.exec(name) ?? [];
		const members = this.groupMembers.get(group);
		if (!members) return undefined;
		const ips = [...members].flatMap((id) => list(this.byId.get(id), 'addresses').flatMap((address) => address.split(/\s+/).slice(1)));
		return ips.filter((ip) => parseIp(ip)?.family === Number(family));
	}

	/** By address. Made for the first question about one of the family, because most are about ports. */
	holders(family: Family): ReadonlyMap<bigint, readonly SnapshotRow[]> {
		const known = this.#holders.get(family);
		if (known) return known;
		const found = new Map<bigint, SnapshotRow[]>();
		for (const row of this.#ports) {
			for (const text of list(row, 'addresses').flatMap((address) => address.split(' ').slice(1))) {
				const ip = text.includes(':') === (family === 6) ? parseIp(text) : undefined;
				if (!ip) continue;
				const rows = found.get(ip.value);
				if (rows) rows.push(row);
				else found.set(ip.value, [row]);
			}
		}
		this.#holders.set(family, found);
		return found;
	}
}

/** Which of two rules with one priority counts is left open by OVN; here it is always the same, so that one question has one answer. */
function byPriority(a: Rule, b: Rule): number {
	const text = ({ origin, match }: Rule) => `${origin?.object} ${origin?.path} ${match}`;
	return b.priority - a.priority || (text(a) < text(b) ? -1 : 1);
}

function remembered<T>(cache: Map<string, T>, id: string, make: () => T | undefined): T | undefined {
	const known = cache.get(id);
	if (known) return known;
	const made = make();
	if (made) cache.set(id, made);
	return made;
}
