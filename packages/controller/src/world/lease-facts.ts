import { annotations, type LeaseFacts, type Vip, type VipFacts, vipSelector, vipType, type World } from '@tapestry/network';
import { type Claimant, claimantKey } from '../leases/claimant.ts';
import type { Claimants } from '../leases/claimants.ts';
import type { Lease } from '../leases/lease-object.ts';
import { trafficOf } from './lease-traffic.ts';

/** `undefined` for an object that only keeps addresses. */
export function leaseFacts(lease: Lease, claimant: Claimant | undefined): LeaseFacts | undefined {
	const { name, subnet, node, v4, v6, mac, owner } = lease;
	if (!owner || owner.kind === 'Vip') return undefined;
	const own = claimant?.uid === owner.uid ? claimant : undefined;
	// Nodes send for others: replies of what they route or translate.
	const isOpen = owner.kind === 'Node' || own?.annotations[annotations.portSecurity] === 'false';
	const { kind: ownerKind, uid: ownerUid, namespace } = owner;
	const securityGroups = namesIn(own?.annotations[annotations.securityGroups] ?? '');
	const vips = namesIn(own?.annotations[annotations.addressPairs] ?? '');
	const ports = own?.ports ?? [];
	const { ingress, egress } = trafficOf(lease, claimant).traffic;
	return {
		name,
		subnet,
		node,
		v4,
		v6,
		mac,
		ownerUid,
		ownerKind,
		namespace,
		labels: own?.labels ?? {},
		isOpen,
		ports,
		vips,
		securityGroups,
		limits: { ingress, egress },
	};
}

/** Puts what a lease means into the world, or takes it out when it is not in force (any more). */
export function publishLease(
	world: World,
	name: string,
	lease: Lease | undefined,
	claimants: Claimants,
	vips: ReadonlyMap<string, Vip>,
): LeaseFacts | undefined {
	const claimant = lease?.owner && claimants.get(claimantKey(lease.owner));
	const facts = lease && leaseFacts(lease, claimant);
	world.set('IP', name, facts);
	world.set('Vip', name, lease?.owner?.kind === 'Vip' ? vipFacts(lease, vips.get(lease.owner.name)) : undefined);
	return facts;
}

function vipFacts(lease: Lease, vip: Vip | undefined): VipFacts | undefined {
	const { name, subnet, v4, v6, mac, owner } = lease;
	if (!vip || vip.metadata.uid !== owner?.uid) return undefined;
	const { namespace = '' } = vip.spec;
	return { name: vip.metadata.name, lease: name, subnet, namespace, selector: vipSelector(vip), type: vipType(vip) ?? '', v4, v6, mac };
}

/** Names with `,` between them. What is no Unicode would end the connection with the database, whose JSON parser refuses it. */
function namesIn(text: string): readonly string[] {
	const names = text
		.toWellFormed()
		.split(',')
		.map((name) => name.trim());
	return [...new Set(names)].filter((name) => name !== '').sort();
}
