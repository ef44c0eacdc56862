import { formatIp, parseIp } from '@tapestry/base';
import { annotations } from '@tapestry/network';
import type { Hop } from './hop.ts';

/** What does not fit along a path: an unreadable hop, different MTUs, a workload that is not what its logical port is for. */
export function pathFaults(hops: readonly Hop[]): readonly string[] {
	const unread = hops.flatMap(({ kind, trouble }) => (trouble === undefined ? [] : [`${kind}: ${trouble}`]));
	return [...unread, ...mtuFaults(hops), ...macFaults(hops), ...addressFaults(hops)];
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

/** Addresses that the workload has given to itself. Logical_Switch_Port port_security (ovn-nb(5)): `MAC IP...`, anything when it is empty. */
function addressFaults(hops: readonly Hop[]): readonly string[] {
	const { portSecurity } = hops.find(({ kind }) => kind === 'logical port')?.facts ?? {};
	const own = hops[0]?.facts.addresses;
	// Behind NAT the guest's own address is nobody else's affair.
	if (hops.some(({ facts }) => facts.translates === true)) return [];
	if (!Array.isArray(own) || !Array.isArray(portSecurity) || portSecurity.length === 0) return [];
	const allowed = portSecurity.flatMap((entry: string) => entry.split(' ').slice(1).map(plain));
	const wrong = own.map(plain).filter((address) => !allowed.includes(address) && !isLinkLocal(address));
	if (wrong.length === 0) return [];
	const fix = `take the address from DHCP, or ask for it with the annotation ${annotations.ipAddress}`;
	return [
		`${hops[0]?.kind} has ${wrong.join(' and ')}, from which nothing passes: port security allows ${allowed.join(' and ')} (fix: ${fix})`,
	];
}

/** Without the prefix's length, in the form in which texts can be compared. */
function plain(address: string): string {
	const [text = ''] = address.split('/');
	const ip = parseIp(text);
	return ip ? formatIp(ip) : text;
}

/** RFC 4291, section 2.5.6: fe80::/10. */
function isLinkLocal(address: string): boolean {
	return /^fe[89ab]/.test(address);
}
