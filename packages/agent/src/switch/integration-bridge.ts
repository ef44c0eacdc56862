import { CodedError, type Signal } from '@tapestry/base';
import {
	encodeRow,
	type Operation,
	type OvsBridge,
	type OvsInterface,
	type OvsOpenVSwitch,
	ovsSchema,
	type Uuid,
	whereUuid,
} from '@tapestry/network';
import type { Session } from '@tapestry/ovsdb';
import { waitFor } from '../wait-for.ts';
import { noBridge, notInstalled, unusable } from './bridge-errors.ts';
import { type BridgeOptions, BridgeRows, isOurs, listed, vendorMark } from './bridge-rows.ts';
import { Removals } from './removals.ts';

export interface SwitchPort {
	/** The device, which is also the port's name in Open vSwitch. */
	readonly device: string;
	/** `internal`: Open vSwitch makes the device itself. With options: another kind of port. @default the device exists */
	readonly type?: 'internal' | { readonly name: string; readonly options: Readonly<Record<string, string>> };
	/** For an internal port. */
	readonly mac?: string;
	/** For a port that Open vSwitch makes itself. */
	readonly mtu?: number;
	/** The logical switch port. */
	readonly ifaceId: string;
	/** UID of what the logical switch port belongs to (ovn-nb(5), Logical_Switch_Port options:iface-id-ver). */
	readonly ifaceIdVersion: string;
	/** Further `external_ids` for people and for recovery. */
	readonly about: Readonly<Record<string, string>>;
}

/** A port of ours as the switch has it. */
export interface SwitchPortState {
	readonly device: string;
	readonly ifaceId: string | undefined;
	/** Device of the port that took the logical port over. */
	readonly successor: string | undefined;
	/** ovn-controller has installed the port's flows. */
	readonly installed: boolean;
	/** Of a port without a device of the kernel: whether both ends are there. */
	readonly linkState: 'up' | 'down' | undefined;
	/** Of such a port: the other end is there, whether or not the switch could go on (ovs-vswitchd.conf.db(5), Interface status). */
	readonly peerConnected: boolean;
	/** What Open vSwitch says is wrong with the device. */
	readonly error: string | undefined;
	readonly externalIds: Readonly<Record<string, string>>;
}

/** The node's integration bridge, seen through a live copy of its database and changed by single transactions. */
export class IntegrationBridge {
	readonly #rows: BridgeRows;
	readonly #removals: Removals;

	private constructor(rows: BridgeRows) {
		this.#rows = rows;
		this.#removals = new Removals(rows);
	}

	static async open(session: Session, options: BridgeOptions = {}): Promise<IntegrationBridge> {
		const columns = {
			Bridge: ['name', 'datapath_type', 'ports'],
			Port: ['name', 'interfaces'],
			Interface: ['name', 'external_ids', 'error', 'link_state', 'status'],
			Open_vSwitch: ['dpdk_initialized', 'iface_types', ...Removals.columns],
		};
		return new IntegrationBridge(await BridgeRows.open(session, columns, options));
	}

	get name(): string {
		return this.#rows.name;
	}

	/** Whether ports can be plugged in now. */
	get ready(): boolean {
		return this.#rows.connected && this.#rows.bridge() !== undefined;
	}

	/** True for the userspace datapath, which reads devices beside the host's own stack instead of in front of it. @throws AGENT_BRIDGE while it is not known */
	get userspace(): boolean {
		const bridge = this.#rows.bridge();
		if (!bridge) throw noBridge(this.name);
		return bridge.datapath_type === 'netdev';
	}

	/** What this Open vSwitch can do beside the kernel. */
	get dpdk(): { readonly initialized: boolean; readonly interfaceTypes: readonly string[] } {
		const [root] = this.#rows.all<OvsOpenVSwitch>(ovsSchema.name);
		return { initialized: root?.dpdk_initialized ?? false, interfaceTypes: root?.iface_types ?? [] };
	}

	/** The ports that agents made on this bridge. */
	ports(): readonly SwitchPortState[] {
		return this.#interfaces().filter(isOurs).map(stateOf);
	}

	port(device: string): SwitchPortState | undefined {
		const found = this.#interfaces().find(({ name }) => name === device);
		return found && stateOf(found);
	}

	/** Calls back after every change of the copy. */
	onChange(listener: () => void): () => void {
		return this.#rows.onChange(listener);
	}

	/**
	 * Plugs a device in, in one transaction; a port of the same name is replaced, and any other port that claims the same logical port loses it
	 * (a machine's previous launcher on this node). Resolves when Open vSwitch has the row, not when its flows are there.
	 */
	async add(port: SwitchPort, options: { readonly signal?: Signal } = {}): Promise<Uuid> {
		await this.#removals.applied(port.device, options.signal);
		const bridge = this.#rows.bridge();
		if (!bridge) throw noBridge(this.name);
		const operations: Operation[] = [
			...this.#removal(port.device),
			...this.#release(port),
			{
				op: 'insert',
				table: 'Interface',
				'uuid-name': 'interface',
				row: encodeRow(ovsSchema.tables.Interface, {
					name: port.device,
					...(typeof port.type === 'object' ? { type: port.type.name, options: port.type.options } : port.type ? { type: port.type } : {}),
					...(port.mac ? { mac: port.mac } : {}),
					...(port.mtu ? { mtu_request: port.mtu } : {}),
					external_ids: { ...vendorMark, ...port.about, 'iface-id': port.ifaceId, 'iface-id-ver': port.ifaceIdVersion },
				}),
			},
			{
				op: 'insert',
				table: 'Port',
				'uuid-name': 'port',
				row: encodeRow(ovsSchema.tables.Port, { name: port.device, interfaces: [{ named: 'interface' }], external_ids: vendorMark }),
			},
			listed(bridge, 'ports', 'insert', ['named-uuid', 'port']),
		];
		const results = await this.#rows.transact(operations, options);
		const uuid = results[operations.length - 3]?.uuid?.[1];
		if (uuid === undefined) throw new CodedError('AGENT_OVS_PORT', `the database gave no row for port ${port.device}`);
		return uuid;
	}

	/** Resolves when ovn-controller has installed the flows of an interface; rejects when Open vSwitch cannot use the device. */
	async installed(uuid: Uuid, signal: Signal): Promise<void> {
		const check = (): true | undefined => {
			const row = this.#interface(uuid);
			if (row?.error) throw unusable(row.name, row.error);
			return row?.external_ids['ovn-installed'] === 'true' ? true : undefined;
		};
		await waitFor(
			(listener) => this.#rows.onChange(listener),
			check,
			signal,
			() => notInstalled(this.#interface(uuid), signal),
		);
	}

	/** Resolves when the copy has all that was in the database at the time of the call. */
	settled(options: { readonly signal?: Signal } = {}): Promise<void> {
		return this.#rows.settled(options);
	}

	/** Unplugs a device; does nothing when it is not plugged in. */
	async remove(device: string, options: { readonly signal?: Signal } = {}): Promise<void> {
		// An `add` that its caller gave up on may still have been carried out.
		await this.settled(options);
		const operations = this.#removal(device);
		if (operations.length === 0) return;
		await this.#removals.follow(device, this.#rows.transact([...operations, ...this.#removals.operations], options));
	}

	/** Resolves when Open vSwitch has let go of a device that was unplugged: until then it may write the flags that the device had before. */
	released(device: string, options: { readonly signal?: Signal } = {}): Promise<void> {
		return this.#removals.applied(device, options.signal);
	}

	#removal(device: string): Operation[] {
		const port = this.#rows.port(device);
		if (!port) return [];
		return this.#rows
			.all<OvsBridge>('Bridge')
			.filter(({ ports }) => ports.includes(port._uuid))
			.map((bridge) => listed(bridge, 'ports', 'delete', ['uuid', port._uuid]));
	}

	#release(port: SwitchPort): Operation[] {
		return this.#interfaces()
			.filter(({ name, external_ids: ids }) => name !== port.device && ids['iface-id'] === port.ifaceId)
			.map(({ _uuid }) => ({
				op: 'mutate',
				table: 'Interface',
				where: whereUuid(_uuid),
				mutations: [
					['external_ids', 'delete', ['set', ['iface-id']]],
					['external_ids', 'insert', ['map', [['successor', port.device]]]],
				],
			}));
	}

	#interface(uuid: Uuid): OvsInterface | undefined {
		return this.#rows.row('Interface', uuid);
	}

	#interfaces(): readonly OvsInterface[] {
		return this.#rows.all<OvsInterface>('Interface');
	}
}

function stateOf(row: OvsInterface): SwitchPortState {
	const ids = row.external_ids;
	return {
		device: row.name,
		ifaceId: ids['iface-id'],
		successor: ids.successor,
		installed: ids['ovn-installed'] === 'true',
		linkState: row.link_state,
		peerConnected: row.status.status === 'connected',
		error: row.error,
		externalIds: ids,
	};
}
