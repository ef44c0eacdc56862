import type { Hop } from './hop.ts';

/** What does not fit along a path: an unreadable hop, different MTUs, a workload that is not the one its logical port is for. */
export function pathFaults(hops: readonly Hop[]): readonly string[] {
	const unread = hops.flatMap(({ kind, trouble }) => (trouble === undefined ? [] : [`${kind}: ${trouble}`]));
	return [...unread, ...mtuFaults(hops), ...macFaults(hops)];
}

function mtuFaults(hops: readonly Hop[]): readonly string[] {
	const known = hops.filter(({ facts }) => typeof facts.mtu === 'number');
	if (new Set(known.map(({ facts }) => facts.mtu)).size <= 1) return [];
	return [`the MTU is not the same all along: ${known.map(({ kind, facts }) => `${kind} ${facts.mtu}`).join(', ')}`];
}

/** Logical_Switch_Port addresses (ovn-nb(5)): `MAC IP...`. */
function macFaults(hops: readonly Hop[]): readonly string[] {
	const own = hops[0]?.facts.mac;
	const addresses = hops.find(({ kind }) => kind === 'logical port')?.facts.addresses;
	if (typeof own !== 'string' || !Array.isArray(addresses)) return [];
	const macs = addresses.map((entry: string) => entry.split(' ')[0]?.toLowerCase());
	return macs.includes(own.toLowerCase()) ? [] : [`${hops[0]?.kind} has MAC ${own}, its logical port ${macs.join(', ') || 'none'}`];
}
