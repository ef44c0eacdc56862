import type { Signal } from '@tapestry/base';
import {
	encodeRow,
	type Operation,
	type OvsBridge,
	type OvsInterface,
	type OvsMirror,
	type OvsPort,
	ovsSchema,
	type Uuid,
	whereUuid,
} from '@tapestry/network';
import type { Replica, Session } from '@tapestry/ovsdb';

const database = 'Open_vSwitch';
/** Kube-OVN's names. */
export const mirrorDevice = 'mirror0';
const mirrorName = 'm0';
const mark = { vendor: 'tapestry' } as const;
/** Larger than any packet of a port: Open vSwitch drops what does not fit through a device. */
const mirrorMtu = 9216;

type Marked = { readonly external_ids: Readonly<Record<string, string>> };
const isOurs = ({ external_ids: ids }: Marked): boolean => ids.vendor === mark.vendor;

/**
 * The copy of ports' packets to a device of the node, as rows of the integration bridge; others' mirrors and ports are left alone. Open vSwitch copies a
 * packet once, whatever becomes of it: where OVN turns a question round and answers with it (ARP, ping to a gateway), the question is all that is seen.
 */
export class PortMirror {
	readonly #session: Session;
	readonly #replica: Replica;
	readonly #name: string;

	private constructor(session: Session, replica: Replica, name: string) {
		this.#session = session;
		this.#replica = replica;
		this.#name = name;
	}

	/** @param name of the bridge. @default br-int */
	static async open(session: Session, options: { readonly name?: string; readonly signal?: Signal } = {}): Promise<PortMirror> {
		const { name = 'br-int', ...more } = options;
		const tables = {
			Bridge: { columns: ['name', 'ports', 'mirrors'] },
			Port: { columns: ['name', 'interfaces', 'external_ids'] },
			Interface: { columns: ['name', 'external_ids'] },
			Mirror: { columns: ['name', 'select_src_port', 'select_dst_port', 'output_port', 'external_ids'] },
		};
		return new PortMirror(session, await session.monitor(database, tables, more), name);
	}

	/** Calls back after every change of the copy of the database. */
	onChange(listener: () => void): () => void {
		return this.#replica.onChange(listener);
	}

	/**
	 * Copies what the plugged-in ones of these logical ports send and receive, and nothing else, to the mirror device, in one transaction; without any
	 * there is no device either. Writes only what differs. Answers whether there is a device.
	 */
	async set(logicalPorts: ReadonlySet<string>, options: { readonly signal?: Signal } = {}): Promise<boolean> {
		const bridge = this.#rows<OvsBridge>('Bridge').find(({ name }) => name === this.#name);
		if (!bridge) return false;
		const ports = this.#ports(bridge, logicalPorts);
		const operations = ports.length === 0 ? this.#removal(bridge) : this.#change(bridge, ports);
		if (operations.length > 0) {
			await this.#session.transact(database, operations, options);
			// The next call must see what this one wrote.
			await this.#replica.settled(options);
		}
		return ports.length > 0;
	}

	/** The ports through which the logical ports are plugged in. */
	#ports(bridge: OvsBridge, logicalPorts: ReadonlySet<string>): readonly Uuid[] {
		const interfaces = this.#rows<OvsInterface>('Interface').filter(({ external_ids: ids }) => logicalPorts.has(ids['iface-id'] ?? ''));
		const plugged = new Set(interfaces.map(({ _uuid }) => _uuid));
		const ports = this.#rows<OvsPort>('Port').filter((port) => port.interfaces.some((uuid) => plugged.has(uuid)));
		return ports.map(({ _uuid }) => _uuid).filter((uuid) => bridge.ports.includes(uuid));
	}

	#change(bridge: OvsBridge, ports: readonly Uuid[]): Operation[] {
		const output = this.#output();
		const mirror = this.#mirror(bridge);
		const isDone = output && mirror?.output_port === output._uuid;
		if (isDone && isSame(mirror.select_src_port, ports) && isSame(mirror.select_dst_port, ports)) return [];
		const selected = ports.map((uuid) => ({ uuid }));
		const row = encodeRow(ovsSchema.tables.Mirror, {
			name: mirrorName,
			select_src_port: selected,
			select_dst_port: selected,
			output_port: output ? { uuid: output._uuid } : { named: 'port' },
			external_ids: mark,
		});
		const written: readonly Operation[] = mirror
			? [{ op: 'update', table: 'Mirror', where: whereUuid(mirror._uuid), row }]
			: [{ op: 'insert', table: 'Mirror', 'uuid-name': 'mirror', row }, listed(bridge, 'mirrors', 'insert', ['named-uuid', 'mirror'])];
		return [...(output ? [] : newOutput(bridge)), ...written];
	}

	#removal(bridge: OvsBridge): Operation[] {
		const mirror = this.#mirror(bridge);
		const output = this.#output();
		return [
			...(mirror ? [listed(bridge, 'mirrors', 'delete', ['uuid', mirror._uuid])] : []),
			...(output && isOurs(output) && bridge.ports.includes(output._uuid)
				? [listed(bridge, 'ports', 'delete', ['uuid', output._uuid])]
				: []),
		];
	}

	#output(): OvsPort | undefined {
		return this.#rows<OvsPort>('Port').find(({ name }) => name === mirrorDevice);
	}

	#mirror(bridge: OvsBridge): OvsMirror | undefined {
		return this.#rows<OvsMirror>('Mirror').find((mirror) => isOurs(mirror) && bridge.mirrors.includes(mirror._uuid));
	}

	#rows<T>(table: string): readonly T[] {
		return [...this.#replica.table(table).values()] as unknown as readonly T[];
	}
}

/** Open vSwitch makes the device itself. Without an iface-id it is no port of OVN, whose flows drop what comes out of it. */
function newOutput(bridge: OvsBridge): Operation[] {
	const device = encodeRow(ovsSchema.tables.Interface, { name: mirrorDevice, type: 'internal', mtu_request: mirrorMtu });
	const port = encodeRow(ovsSchema.tables.Port, { name: mirrorDevice, interfaces: [{ named: 'interface' }], external_ids: mark });
	return [
		{ op: 'insert', table: 'Interface', 'uuid-name': 'interface', row: device },
		{ op: 'insert', table: 'Port', 'uuid-name': 'port', row: port },
		listed(bridge, 'ports', 'insert', ['named-uuid', 'port']),
	];
}

function listed(
	bridge: OvsBridge,
	column: 'ports' | 'mirrors',
	mutator: 'insert' | 'delete',
	uuid: readonly ['uuid' | 'named-uuid', Uuid],
): Operation {
	return { op: 'mutate', table: 'Bridge', where: whereUuid(bridge._uuid), mutations: [[column, mutator, ['set', [uuid]]]] };
}

function isSame(a: readonly Uuid[], b: readonly Uuid[]): boolean {
	return a.length === b.length && a.every((uuid) => b.includes(uuid));
}
