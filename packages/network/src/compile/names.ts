import { type Family, macFromBytes } from '@tapestry/base';
import type { RowName } from '../plan/model.ts';
import { fnv1a } from './hash.ts';

// Row keys name the object and what of it the row is; row names are what Kube-OVN's users look for in `ovn-nbctl show`.

export const switchRow = (subnet: string): RowName => ({ table: 'Logical_Switch', key: `subnet/${subnet}` });
export const routerRow = (vpc: string): RowName => ({ table: 'Logical_Router', key: `vpc/${vpc}` });
export const dhcpRow = (subnet: string, family: Family): RowName => ({ table: 'DHCP_Options', key: `subnet/${subnet}/${family}` });

export const routerPortName = (vpc: string, subnet: string): string => `${vpc}-${subnet}`;
export const routerSidePortName = (vpc: string, subnet: string): string => `${subnet}-${vpc}`;
/** Name of a node's lease and port in the join network. */
export const nodePortName = (node: string): string => `node-${node}`;

/** Address sets are named in match expressions, where ovn-sb(5) allows letters, digits, `_` and `.`. */
export const egressSetName = (family: Family): string => `tapestry.egress.v${family}`;

/**
 * The address of a router's port: locally administered, the same after every restart and on every controller, and in a part of the space
 * (second octet 0) that leases do not use.
 */
export function routerMac(vpc: string, subnet: string): string {
	const hash = fnv1a(routerPortName(vpc, subnet));
	return macFromBytes(Uint8Array.of(0x02, 0x00, hash >>> 24, (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255));
}

/** Kube-OVN writes MAC addresses in upper case; OVN reads both. */
export function shownMac(mac: string): string {
	return mac.toUpperCase();
}
