import { CodedError } from '@tapestry/base';
import { type OvsInterface, ovsSchema } from '@tapestry/network';
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

/** Open vSwitch receives what the workload sends. It renews its counters every few seconds (Open_vSwitch other_config:stats-update-interval). */
export function switchHop(row: OvsInterface): Hop {
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
			error: row.error,
		},
	};
}
