import { matches, type PacketFields } from '../../../match/evaluate.ts';
import type { Expression } from '../../../match/expression.ts';
import { parseMatch } from '../../../match/parse.ts';
import type { DesiredRow, Fragment } from '../../../plan/model.ts';

/** A packet on its way from one port to another; an absent port is the world outside. */
export interface Journey {
	readonly from: string | undefined;
	readonly to: string | undefined;
	readonly fields: PacketFields;
	/** Port names of the node where the packet is looked at. */
	readonly residents: readonly string[];
}

interface Acl {
	readonly row: DesiredRow;
	readonly expression: Expression;
	readonly priority: number;
	readonly place: Place;
}

/** Sent, before and after Services are replaced; received. */
type Place = 'early' | 'late' | 'in';

/** What OVN does with a packet, from the rows alone: three places to drop, in each the first row by priority that matches. */
export class AclVerdict {
	readonly #acls: readonly Acl[];
	readonly #members = new Map<string, Set<string>>();
	readonly #sets = new Map<string, readonly string[]>();

	constructor(fragments: Iterable<Fragment>) {
		const rows = [...fragments].flatMap((fragment) => fragment.rows);
		const of = (table: string) => rows.filter((row) => row.table === table);
		this.#acls = of('ACL')
			.map((row) => ({
				row,
				expression: parseMatch(String(row.columns.match)),
				priority: Number(row.columns.priority),
				place: placeOf(row),
			}))
			.sort((a, b) => b.priority - a.priority);
		for (const { key } of of('Port_Group')) this.#members.set(key, new Set());
		for (const port of of('Logical_Switch_Port')) {
			const addresses = (port.columns.addresses as readonly string[]).flatMap((text) => text.split(' ').slice(1));
			for (const { table, key } of port.listedIn) {
				if (table !== 'Port_Group') continue;
				this.#members.get(key)?.add(String(port.columns.name));
				for (const family of [4, 6]) {
					const name = `${key}_ip${family}`;
					const own = addresses.filter((ip) => ip.includes(':') === (family === 6));
					this.#sets.set(name, [...(this.#sets.get(name) ?? []), ...own]);
				}
			}
		}
		for (const key of this.#members.keys())
			for (const family of [4, 6]) this.#sets.set(`${key}_ip${family}`, this.#sets.get(`${key}_ip${family}`) ?? []);
		for (const { columns } of of('Address_Set')) this.#sets.set(String(columns.name), columns.addresses as readonly string[]);
	}

	/** The row that drops the packet; undefined when none does. Throws when two rows of one priority say different things. */
	dropper(journey: Journey): DesiredRow | undefined {
		const early = journey.from === undefined ? undefined : this.#first('early', journey);
		if (isDrop(early)) return early;
		const late = journey.from === undefined ? undefined : this.#first('late', journey);
		if (isDrop(late)) return late;
		const received = journey.to === undefined ? undefined : this.#first('in', journey);
		return isDrop(received) ? received : undefined;
	}

	#first(place: Place, { from, to, fields, residents }: Journey): DesiredRow | undefined {
		const packet = { ...fields, inport: place === 'in' ? undefined : from, outport: place === 'in' ? to : undefined };
		const around = {
			addressSet: (name: string) => this.#sets.get(name),
			isInGroup: (port: string, group: string) => this.#members.get(group)?.has(port),
			isResident: (port: string) => residents.includes(port),
		};
		let first: Acl | undefined;
		for (const acl of this.#acls) {
			if (first && acl.priority !== first.priority) break;
			if (acl.place !== place || !matches(acl.expression, packet, around)) continue;
			first ??= acl;
			if (isDrop(acl.row) !== isDrop(first.row)) throw new Error(`OVN would toss a coin between ${first.row.key} and ${acl.row.key}`);
		}
		return first?.row;
	}
}

function placeOf({ columns }: DesiredRow): Place {
	if (columns.direction === 'to-lport') return 'in';
	return Object.keys(columns.options as object).length > 0 ? 'late' : 'early';
}

function isDrop(row: DesiredRow | undefined): boolean {
	return row?.columns.action === 'drop' || row?.columns.action === 'reject';
}
