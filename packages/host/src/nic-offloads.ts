/**
 * Offloads leave checksums to a device. Between a tap and the userspace datapath there is none, so packets would arrive with wrong
 * checksums: the guest has to compute them. Both ends of a migration must agree on these. libvirt's names, of a NIC's `driver`.
 */
export const disabledOffloads = {
	host: ['csum', 'gso', 'tso4', 'tso6', 'ecn', 'ufo'],
	guest: ['csum', 'tso4', 'tso6', 'ecn', 'ufo'],
} as const;
