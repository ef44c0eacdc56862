import { parseIp } from '@tapestry/base';
import { defaultNames } from '../api/names.ts';
import type { DesiredRow, Fragment } from '../plan/model.ts';
import type { Read } from '../world/world.ts';
import { egressSetName, nodePortName, routerRow } from './names.ts';
import { nodeAccessRow, reachableOwner } from './policy/always.ts';
import { policyPriority } from './priorities.ts';

/**
 * How the default VPC reaches a node and leaves through it. A router is distributed: its pipeline runs where the sender's port is, so
 * `is_chassis_resident` of the node's own port is true exactly on the sender's node (ovn-sb(5)). One policy for each node and family is enough,
 * whatever the number of subnets, which are in an address set.
 */
export function compileNode(key: string, read: Read): Fragment {
	const node = read.get('Node', key);
	const port = nodePortName(key);
	const lease = read.get('IP', port);
	if (!node || lease?.ownerKind !== 'Node') return { rows: [] };
	const rows = ([4, 6] as const).flatMap((family): DesiredRow[] => {
		const nextHop = family === 4 ? lease.v4 : lease.v6;
		if (nextHop === undefined) return [];
		const own = node.addresses.filter((address) => parseIp(address)?.family === family);
		const egress = `is_chassis_resident("${port}") && ip${family}.src == $${egressSetName(family)}`;
		return [
			...own.map((address) => reroute(`node/${key}/${address}`, policyPriority.node, `ip${family}.dst == ${address}`, nextHop)),
			reroute(`node/${key}/egress/${family}`, policyPriority.egress, egress, nextHop),
		];
	});
	return { rows: [...rows, nodeAccessRow(key, read)], needs: [reachableOwner] };
}

function reroute(key: string, priority: number, match: string, nextHop: string): DesiredRow {
	return {
		table: 'Logical_Router_Policy',
		key,
		columns: { priority, match, action: 'reroute', nexthops: [nextHop] },
		listedIn: [{ ...routerRow(defaultNames.vpc), column: 'policies' }],
	};
}
