import { isCoded, type Signal } from '@tapestry/base';
import { type Condition, type KubeClient, type KubeObject, pods, type Resource } from '@tapestry/kube';
import { virtualMachineInstanceResource, virtualMachineResource } from '@tapestry/network';
import { splitKey } from '../leases/claimants.ts';
import type { Sources } from '../world/sources.ts';

/** A pod, VM or instance that has a lease, with its kind. */
export interface LeaseOwnerObject {
	readonly object: KubeObject<unknown, { readonly conditions?: readonly Condition[] }>;
	readonly resource: Resource;
}

export function findLeaseOwner(sources: Pick<Sources, 'pods' | 'vms' | 'vmis'>, key: string): LeaseOwnerObject | undefined {
	const { kind, name } = splitKey(key);
	const of = (object: KubeObject | undefined, resource: Resource) => object && { object: object as LeaseOwnerObject['object'], resource };
	if (kind === 'Pod') return of(sources.pods.objects.get(name), pods);
	if (kind === 'VirtualMachine') return of(sources.vms.objects.get(name), virtualMachineResource);
	if (kind === 'VirtualMachineInstance') return of(sources.vmis.objects.get(name), virtualMachineInstanceResource);
	return undefined;
}

/**
 * Writes conditions of one type of an owner, of which `conditions` are all. False when the owner is gone. The kubelet writes other conditions of a pod
 * meanwhile: a strategic patch touches ours only. Custom resources have no such patch.
 */
export async function patchConditions(
	client: KubeClient,
	{ object, resource }: LeaseOwnerObject,
	{ type, conditions, signal }: { readonly type: string; readonly conditions: readonly Condition[]; readonly signal: Signal },
): Promise<boolean> {
	const isPod = resource === pods;
	const { name, namespace = '', resourceVersion = '', uid = '' } = object.metadata;
	const status = { conditions: isPod ? conditions.filter((condition) => condition.type === type) : conditions };
	const metadata = isPod ? { uid } : { uid, resourceVersion };
	const patch = isPod ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
	try {
		await client.patch(resource, { name, namespace }, patch, { metadata, status }, { subresource: 'status', signal });
		return true;
	} catch (error) {
		if (isCoded(error, 'KUBE_NOT_FOUND')) return false;
		throw error;
	}
}
