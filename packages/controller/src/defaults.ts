import { isCoded, type Signal } from '@tapestry/base';
import type { KubeClient } from '@tapestry/kube';
import { defaultNames, defaultSubnet, type Subnet, subnetResource, type Vpc, vpcResource } from '@tapestry/network';
import type { Sources } from './world/sources.ts';

export interface DefaultOptions {
	/** Blocks of the default subnet: `v4`, `v6` or `v4,v6`. */
	readonly defaultCidr: string;
	/** Blocks of the join network. */
	readonly joinCidr: string;
}

/** Makes the default VPC, its default subnet and the join network where they are absent. What users made of them stays. */
export async function createDefaults(client: KubeClient, sources: Sources, options: DefaultOptions, signal: Signal): Promise<void> {
	const { vpc, subnet, joinSubnet } = defaultNames;
	const missing = { signal };
	if (!sources.vpcs.objects.has(vpc)) {
		const object: Vpc = { apiVersion: 'kubeovn.io/v1', kind: vpcResource.kind, metadata: { name: vpc }, spec: {} };
		await createOnce(() => client.create(vpcResource, object, missing));
	}
	const wanted = [
		subnetNamed(subnet, { cidrBlock: options.defaultCidr, default: true, natOutgoing: true }),
		subnetNamed(joinSubnet, { cidrBlock: options.joinCidr }),
	];
	for (const object of wanted) {
		if (!sources.subnets.objects.has(object.metadata.name)) await createOnce(() => client.create(subnetResource, object, missing));
	}
}

function subnetNamed(name: string, spec: Subnet['spec']): Subnet {
	return defaultSubnet({ apiVersion: 'kubeovn.io/v1', kind: subnetResource.kind, metadata: { name }, spec });
}

/** Another controller may be quicker. */
async function createOnce(create: () => Promise<unknown>): Promise<void> {
	try {
		await create();
	} catch (error) {
		if (!isCoded(error, 'KUBE_EXISTS')) throw error;
	}
}
