import { annotations, type LeaseFacts } from '@tapestry/network';
import type { Claimant } from '../leases/claimant.ts';
import type { Lease } from '../leases/lease-object.ts';

/** `undefined` for an object that only keeps addresses. */
export function leaseFacts(lease: Lease, claimant: Claimant | undefined): LeaseFacts | undefined {
	const { name, subnet, node, v4, v6, mac, owner } = lease;
	if (!owner) return undefined;
	// Nodes send for others: replies of what they route or translate.
	const isOpen = owner.kind === 'Node' || (claimant?.uid === owner.uid && claimant.annotations[annotations.portSecurity] === 'false');
	return { name, subnet, node, v4, v6, mac, ownerUid: owner.uid, ownerKind: owner.kind, isOpen };
}
