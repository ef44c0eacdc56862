import type { DesiredRow, Fragment } from '../../plan/model.ts';
import type { Read } from '../../world/world.ts';
import { nodePortName } from '../names.ts';
import { aclBand } from '../priorities.ts';
import { aclRow } from './acl-row.ts';
import { groupRow, policedGroup, portGroup, reachableGroup } from './groups.ts';
import { addressMatch, nodeAddresses, ofGroup } from './match.ts';

/** Owner of the group of all ports that policies are about, and of what these may always do. */
export const alwaysOwner = 'Always/policed';
/** Owner of the group of those that nodes reach. */
export const reachableOwner = 'Always/reachable';

const discovery = 'nd || nd_rs || nd_ra';
/** Both the first request and renewals; ovn-northd lets the answers pass by itself. */
const dhcp = '(ip4 && udp.src == 68 && udp.dst == 67) || (ip6 && udp.src == 546 && udp.dst == 547)';

export function compileAlways(key: string): Fragment {
	if (key === 'reachable') return { rows: [portGroup(reachableGroup)] };
	const row = (path: string, isSent: boolean, match: string, isBeforeServices: boolean): DesiredRow =>
		aclRow({
			key: `always/${path}/${isSent}/${isBeforeServices}`,
			direction: isSent ? 'egress' : 'ingress',
			priority: aclBand.always,
			match: ofGroup(policedGroup, isSent ? 'egress' : 'ingress', `(${match})`),
			action: 'allow',
			origin: { by: '', path },
			group: groupRow(policedGroup),
			isBeforeServices,
		});
	const sent = [true, false].flatMap((isBefore) => [row('discovery', true, discovery, isBefore), row('dhcp', true, dhcp, isBefore)]);
	return { rows: [portGroup(policedGroup), ...sent, row('discovery', false, discovery, false)] };
}

/**
 * A node reaches its own pods (kubernetes.io/docs, Network Policies): the kubelet probes them. What a port receives is looked at on its own node, so
 * `is_chassis_resident` tells whether it is this one.
 */
export function nodeAccessRow(node: string, read: Read): DesiredRow {
	const port = nodePortName(node);
	const from = addressMatch(nodeAddresses(node, read), 'src');
	return aclRow({
		key: `always/node/${node}`,
		direction: 'ingress',
		priority: aclBand.always,
		match: ofGroup(reachableGroup, 'ingress', `is_chassis_resident("${port}") && ${from}`),
		action: 'allow',
		origin: { by: `Node/${node}`, path: '' },
		group: groupRow(reachableGroup),
	});
}
