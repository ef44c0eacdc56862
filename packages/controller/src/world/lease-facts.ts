import { annotations, type LeaseFacts } from '@tapestry/network';
import type { Claimant } from '../leases/claimant.ts';
import type { Lease } from '../leases/lease-object.ts';

/** `undefined` for an object that only keeps addresses. */
export function leaseFacts(lease: Lease, claimant: Claimant | undefined): LeaseFacts | undefined {
	const { name, subnet, node, v4, v6, mac, owner } = lease;
	if (!owner) return undefined;
	const own = claimant?.uid === owner.uid ? claimant : undefined;
	// Nodes send for others: replies of what they route or translate.
	const isOpen = owner.kind === 'Node' || own?.annotations[annotations.portSecurity] === 'false';
	const { kind: ownerKind, uid: ownerUid, namespace } = owner;
	const securityGroups = securityGroupsOf(own?.annotations[annotations.securityGroups] ?? '');
	const ports = own?.ports ?? [];
	return { name, subnet, node, v4, v6, mac, ownerUid, ownerKind, namespace, labels: own?.labels ?? {}, isOpen, ports, securityGroups };
}

/** Names with `,` between them. */
function securityGroupsOf(text: string): readonly string[] {
	const names = text.split(',').map((name) => name.trim());
	return [...new Set(names)].filter((name) => name !== '').sort();
}
