import { type TrafficWay, trafficWays } from '../api/port-traffic.ts';
import type { DesiredRow } from '../plan/model.ts';
import type { LeaseFacts } from '../world/objects.ts';
import { switchRow } from './names.ts';

/** Rows of one port never meet those of another, so that all have the same (ovn-nb(5): 0 to 32767). */
const priority = 1000;

/** OVN's names: what the workload sends enters its switch, what it receives leaves it. */
const sides: Readonly<Record<TrafficWay, { readonly direction: string; readonly port: string }>> = {
	ingress: { direction: 'to-lport', port: 'outport' },
	egress: { direction: 'from-lport', port: 'inport' },
};

/**
 * The limits of a port, both families in one bucket. OVN makes of each a meter of the port's own node, which every datapath has and every way that a
 * workload is connected. It has a stage of its own, which passes over no ACL: what is received comes there after all of them, what is sent before those that
 * look at it behind the balancers (ovn-northd(8)).
 */
export function rateLimits(lease: Pick<LeaseFacts, 'name' | 'subnet' | 'ownerUid' | 'limits'>): readonly DesiredRow[] {
	const { name, subnet, ownerUid, limits } = lease;
	return trafficWays.flatMap((way) => {
		const limit = limits[way];
		if (!limit) return [];
		const { direction, port } = sides[way];
		return {
			table: 'QoS',
			key: `ip/${name}/${subnet}/${ownerUid}/${way}`,
			columns: {
				priority,
				direction,
				match: `${port} == ${JSON.stringify(name)}`,
				action: {},
				bandwidth: { rate: limit.rate, burst: limit.burst },
			},
			listedIn: [{ ...switchRow(subnet), column: 'qos_rules' }],
		};
	});
}
