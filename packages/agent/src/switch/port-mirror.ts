import type { Signal } from '@tapestry/base';
import type { Link } from '@tapestry/linux';
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
import type { Session } from '@tapestry/ovsdb';
import { type BridgeOptions, BridgeRows, isOurs, listed, vendorMark } from './bridge-rows.ts';

/** Kube-OVN's names. */
export const mirrorDevice = 'mirror0';
const mirrorName = 'm0';
/** Larger than any packet of a port: Open vSwitch drops what does not fit through a device. */
const mirrorMtu = 9216;

/**
 * The copy of ports' packets to a device of the node, as rows of the integration bridge; others' mirrors and ports are left alone. Open vSwitch copies a
 * packet once, whatever becomes of it: where OVN turns a question round and answers with it (ARP, ping to a gateway), the question is all that is seen.
 */
export class PortMirror {
	readonly #rows: BridgeRows;

	private constructor(rows: BridgeRows) {
		this.#rows = rows;
	}

	static async open(session: Session, options: BridgeOptions = {}): Promise<PortMirror> {
		const columns = {
			Bridge: ['name', 'ports', 'mirrors'],
			Port: ['name', 'interfaces', 'trunks', 'external_ids'],
			Interface: ['name', 'ifindex', 'external_ids'],
			Mirror: ['name', 'select_src_port', 'select_dst_port', 'output_port', 'external_ids'],
		};
		return new PortMirror(await BridgeRows.open(session, columns, options));
	}

	/** Calls back after every change of the copy of the database. */
	onChange(listener: () => void): () => void {
		return this.#rows.onChange(listener);
	}

	/**
	 * Copies what the plugged-in ones of these logical ports send and receive, and nothing else, to the mirror device, in one transaction; without any
	 * there is no device either. Writes only what differs. Answers whether there is a device.
	 */
	async set(logicalPorts: ReadonlySet<string>, options: { readonly signal?: Signal } = {}): Promise<boolean> {
		const bridge = this.#rows.bridge();
		if (!bridge) return false;
		const ports = this.#ports(bridge, logicalPorts);
		const operations = ports.length === 0 ? this.#removal(bridge) : this.#change(bridge, ports);
		if (operations.length > 0) {
			await this.#rows.transact(operations, options);
			// The next call must see what this one wrote.
			await this.#rows.settled(options);
		}
		return ports.length > 0;
	}

	/** Whether Open vSwitch has this device as its port. Before, it writes the device's flags by what it has read of them earlier. */
	isPlugged({ index }: Pick<Link, 'index'>): boolean {
		return this.#rows.all<OvsInterface>('Interface').some(({ name, ifindex }) => name === mirrorDevice && ifindex === index);
	}

	/** The ports through which the logical ports are plugged in. */
	#ports(bridge: OvsBridge, logicalPorts: ReadonlySet<string>): readonly Uuid[] {
		const interfaces = this.#rows.all<OvsInterface>('Interface').filter(({ external_ids: ids }) => logicalPorts.has(ids['iface-id'] ?? ''));
		const plugged = new Set(interfaces.map(({ _uuid }) => _uuid));
		const ports = this.#rows.all<OvsPort>('Port').filter((port) => port.interfaces.some((uuid) => plugged.has(uuid)));
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
			external_ids: vendorMark,
		});
		const written: readonly Operation[] = mirror
			? [{ op: 'update', table: 'Mirror', where: whereUuid(mirror._uuid), row }]
			: [{ op: 'insert', table: 'Mirror', 'uuid-name': 'mirror', row }, listed(bridge, 'mirrors', 'insert', ['named-uuid', 'mirror'])];
		if (!output) return [...newOutput(bridge), ...written];
		return [...(isOurs(output) ? [flowsAnew(output)] : []), ...written];
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
		return this.#rows.port(mirrorDevice);
	}

	#mirror(bridge: OvsBridge): OvsMirror | undefined {
		return this.#rows.all<OvsMirror>('Mirror').find((mirror) => isOurs(mirror) && bridge.mirrors.includes(mirror._uuid));
	}
}

/** Open vSwitch makes the device itself. Without an iface-id it is no port of OVN, whose flows drop what comes out of it. */
function newOutput(bridge: OvsBridge): Operation[] {
	const device = encodeRow(ovsSchema.tables.Interface, { name: mirrorDevice, type: 'internal', mtu_request: mirrorMtu });
	const port = encodeRow(ovsSchema.tables.Port, { name: mirrorDevice, interfaces: [{ named: 'interface' }], external_ids: vendorMark });
	return [
		{ op: 'insert', table: 'Interface', 'uuid-name': 'interface', row: device },
		{ op: 'insert', table: 'Port', 'uuid-name': 'port', row: port },
		listed(bridge, 'ports', 'insert', ['named-uuid', 'port']),
	];
}

/**
 * Open vSwitch 3.1.0 does not look at its flows again when a mirror changes: what flows already would be copied only when its flow has come to an end. It
 * does look when the VLANs of a port change, on which nothing depends here: a mirror's output leaves by any.
 */
function flowsAnew({ _uuid, trunks: [last = 0] }: OvsPort): Operation {
	return { op: 'update', table: 'Port', where: whereUuid(_uuid), row: encodeRow(ovsSchema.tables.Port, { trunks: [(last % 4094) + 1] }) };
}

function isSame(a: readonly Uuid[], b: readonly Uuid[]): boolean {
	return a.length === b.length && a.every((uuid) => b.includes(uuid));
}
