import { isCoded, type Signal } from '@tapestry/base';
import type { KubeClient, Reflector } from '@tapestry/kube';
import { type IpLease, ipResource, type PortTraffic, type Problem, readTraffic, writeTraffic } from '@tapestry/network';
import type { Claimant } from '../leases/claimant.ts';
import type { Lease } from '../leases/lease-object.ts';

/**
 * What is done to the traffic of a lease's port: what its owner asks for, and what was in force before where that cannot be read, or where the owner
 * cannot be seen.
 */
export function trafficOf(
	lease: Lease,
	claimant: Claimant | undefined,
): { readonly traffic: PortTraffic; readonly problems: readonly Problem[] } {
	if (!claimant || claimant.uid !== lease.owner?.uid) return { traffic: lease.traffic, problems: [] };
	return readTraffic(claimant.annotations, lease.traffic);
}

/** Whether the lease's object says something else than what is in force. */
export function isTrafficStale(object: IpLease | undefined, traffic: PortTraffic): boolean {
	const said = object?.metadata.annotations ?? {};
	return Object.entries(writeTraffic(traffic)).some(([key, value]) => (said[key] ?? null) !== value);
}

/** Writes on a lease's object what is in force: its node mirrors by it, and it outlasts words of the owner that nobody can read. */
export async function writeLeaseTraffic(
	{ client, ips }: { readonly client: KubeClient; readonly ips: Reflector<IpLease> },
	lease: Lease,
	claimant: Claimant | undefined,
	signal: Signal,
): Promise<void> {
	const { traffic } = trafficOf(lease, claimant);
	const object = ips.objects.get(lease.name);
	if (!object || !isTrafficStale(object, traffic)) return;
	// What was in force is read from the object: one that is newer than what we have seen may say something else, and will bring us back here.
	const { resourceVersion } = object.metadata;
	const metadata = { uid: lease.uid, resourceVersion, annotations: writeTraffic(traffic) };
	try {
		await client.patch<IpLease>(ipResource, { name: lease.name }, 'application/merge-patch+json', { metadata }, { signal });
	} catch (error) {
		if (!isCoded(error, 'KUBE_NOT_FOUND') && !isCoded(error, 'KUBE_CONFLICT')) throw error;
	}
}
