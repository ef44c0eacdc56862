import { externalIds } from '../api/names.ts';
import { parseMatch, referencesOf } from '../match/index.ts';
import type { Tables } from '../plan/index.ts';
import type { Row } from '../schema/wire.ts';

/** An ACL as the Northbound database has it. */
export interface PortAcl {
	readonly direction: 'to-lport' | 'from-lport';
	readonly priority: number;
	readonly match: string;
	readonly action: string;
	/**
	 * Of what the port sends: asked after the others, whatever those say, as the switch asks it after Services' addresses have been replaced (ovn-nb(5),
	 * `apply-after-lb`).
	 */
	readonly isLate: boolean;
	/** `Kind/namespace/name` of the object that says so, and where in its YAML; empty for a row of somebody else. */
	readonly by: string;
	readonly path: string;
}

/** All that the switch would ask about a port: plain data, so that it can be carried to where the port is. */
export interface PortRules {
	/** Name of the logical port. */
	readonly port: string;
	/** `MAC [IP]...` that the port may send from; none means any (ovn-nb(5), port_security). */
	readonly security: readonly string[];
	/** In the order in which they are asked. */
	readonly acls: readonly PortAcl[];
	/** The port groups that list the port. */
	readonly groups: readonly string[];
	/** The address sets that the ACLs name, as far as there are such sets. */
	readonly sets: Readonly<Record<string, readonly string[]>>;
}

/** What the Northbound database says about a port; undefined where it has none of the name. */
export function readPortRules(tables: Tables, name: string): PortRules | undefined {
	const port = [...(tables.Logical_Switch_Port ?? [])].find(([, row]) => row.name === name);
	if (!port) return undefined;
	const [id, row] = port;
	const groups = [...rowsOf(tables, 'Port_Group')].filter((group) => list(group, 'ports').includes(id));
	const home = [...rowsOf(tables, 'Logical_Switch')].find((one) => list(one, 'ports').includes(id));
	const acls = [...groups, ...(home ? [home] : [])]
		.flatMap((holder) => list(holder, 'acls'))
		.map((uuid) => tables.ACL?.get(uuid))
		.filter((acl) => acl !== undefined)
		.map(readAcl)
		.sort(inOrder);
	const named = new Set(acls.flatMap(({ match }) => setsIn(match)));
	const sets = [...named].sort().flatMap((set) => {
		const addresses = addressesOf(tables, set);
		return addresses ? [[set, addresses] as const] : [];
	});
	return {
		port: name,
		security: list(row, 'port_security'),
		acls,
		groups: groups.map((group) => String(group.name)).sort(),
		sets: Object.fromEntries(sets),
	};
}

/** Reads what `JSON.stringify` made of rules; undefined for anything else. */
export function parsePortRules(text: string): PortRules | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return undefined;
	}
	const { port, security, acls, groups, sets } = (value ?? {}) as Partial<PortRules>;
	const isWhole =
		typeof port === 'string' &&
		areTexts(security) &&
		areTexts(groups) &&
		Array.isArray(acls) &&
		acls.every(isAcl) &&
		typeof sets === 'object' &&
		sets !== null &&
		Object.values(sets).every(areTexts);
	return isWhole ? { port, security, acls, groups, sets } : undefined;
}

function isAcl(value: unknown): value is PortAcl {
	const { direction, priority, match, action, isLate, by, path } = (value ?? {}) as Partial<PortAcl>;
	const isKnown = direction === 'to-lport' || direction === 'from-lport';
	return (
		isKnown &&
		typeof priority === 'number' &&
		typeof isLate === 'boolean' &&
		[match, action, by, path].every((text) => typeof text === 'string')
	);
}

function areTexts(value: unknown): value is readonly string[] {
	return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function rowsOf(tables: Tables, table: string): Iterable<Row> {
	return tables[table]?.values() ?? [];
}

function list(row: Row | undefined, column: string): readonly string[] {
	const value = row?.[column];
	return Array.isArray(value) ? (value as readonly string[]) : [];
}

function readAcl(row: Row): PortAcl {
	const ids = (row.external_ids ?? {}) as Readonly<Record<string, string>>;
	const options = (row.options ?? {}) as Readonly<Record<string, string>>;
	return {
		direction: row.direction === 'from-lport' ? 'from-lport' : 'to-lport',
		priority: Number(row.priority),
		match: String(row.match),
		action: String(row.action),
		isLate: options['apply-after-lb'] === 'true',
		by: ids[externalIds.by] ?? '',
		path: ids[externalIds.path] ?? '',
	};
}

/** OVN leaves open which of two with one priority counts; here it is the one that denies. */
function inOrder(a: PortAcl, b: PortAcl): number {
	const rank = ({ action }: PortAcl): number => (action.startsWith('allow') ? 1 : 0);
	return b.priority - a.priority || rank(a) - rank(b) || (`${a.by} ${a.path} ${a.match}` < `${b.by} ${b.path} ${b.match}` ? -1 : 1);
}

function setsIn(match: string): readonly string[] {
	try {
		return [...referencesOf(parseMatch(match)).addressSets];
	} catch {
		return [];
	}
}

/** A set of its own, or what ovn-northd makes of a group: the addresses of its ports in `<group>_ip4` and `<group>_ip6` (ovn-nb(5), Port_Group). */
function addressesOf(tables: Tables, name: string): readonly string[] | undefined {
	for (const row of rowsOf(tables, 'Address_Set')) if (row.name === name) return list(row, 'addresses');
	const [, groupName, family] = /^(.+)_ip([46])$/.exec(name) ?? [];
	for (const group of rowsOf(tables, 'Port_Group')) {
		if (group.name !== groupName) continue;
		const ports = list(group, 'ports').map((id) => tables.Logical_Switch_Port?.get(id));
		const all = ports.flatMap((row) => list(row, 'addresses').flatMap((text) => text.trim().split(/\s+/).slice(1)));
		return all.filter((ip) => ip.includes(':') === (family === '6')).sort();
	}
	return undefined;
}
