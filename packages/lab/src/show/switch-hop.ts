import { CodedError } from '@tapestry/base';
import { type OvsInterface, type OvsMirror, type OvsPort, ovsSchema, whereUuid } from '@tapestry/network';
import type { LabLayout } from '../layout.ts';
import { selectRows } from './databases.ts';
import type { Hop } from './hop.ts';

/** The port of the node's Open vSwitch that stands for a logical port. @throws SHOW_UNPLUGGED */
export async function pluggedInterface(layout: LabLayout, node: string, port: string, signal: AbortSignal): Promise<OvsInterface> {
	const [row] = await selectRows<OvsInterface>(
		{
			socket: layout.node(node).ovsdb,
			schema: ovsSchema,
			table: 'Interface',
			where: [['external_ids', 'includes', ['map', [['iface-id', port]]]]],
		},
		signal,
	);
	if (row) return row;
	throw new CodedError('SHOW_UNPLUGGED', {
		what: `nothing is plugged in as ${port}`,
		why: `no interface in node ${node}'s Open vSwitch has this iface-id`,
	});
}

/** The devices to which the port of an interface is mirrored, whoever ordered that. */
export async function mirrorsOf(layout: LabLayout, node: string, row: OvsInterface, signal: AbortSignal): Promise<readonly string[]> {
	const ovs = { socket: layout.node(node).ovsdb, schema: ovsSchema };
	const [port] = await selectRows<OvsPort>({ ...ovs, table: 'Port', where: [['interfaces', 'includes', ['uuid', row._uuid]]] }, signal);
	if (!port) return [];
	const mirrors = await selectRows<OvsMirror>(
		{ ...ovs, table: 'Mirror', where: [['select_src_port', 'includes', ['uuid', port._uuid]]] },
		signal,
	);
	const outputs = mirrors.flatMap(({ output_port: uuid }) => uuid ?? []);
	const ports = await Promise.all(outputs.map((uuid) => selectRows<OvsPort>({ ...ovs, table: 'Port', where: whereUuid(uuid) }, signal)));
	return ports.flat().map(({ name }) => name);
}

/** Open vSwitch receives what the workload sends. It renews its counters every few seconds (Open_vSwitch other_config:stats-update-interval). */
export function switchHop(row: OvsInterface, mirroredTo: readonly string[] = []): Hop {
	const { statistics, external_ids: ids } = row;
	const counters = (direction: 'rx' | 'tx') =>
		Object.fromEntries(['packets', 'bytes', 'dropped', 'errors'].map((key) => [key, statistics[`${direction}_${key}`] ?? 0]));
	return {
		kind: 'br-int port',
		name: row.name,
		facts: {
			ofport: row.ofport,
			ifaceId: ids['iface-id'],
			ovnInstalled: ids['ovn-installed'] === 'true',
			linkState: row.link_state,
			mtu: row.mtu,
			fromWorkload: counters('rx'),
			toWorkload: counters('tx'),
			mirroredTo,
			error: row.error,
		},
	};
}
