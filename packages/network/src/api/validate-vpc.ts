import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { vpcOf } from './subnet-addressing.ts';
import type { Vpc } from './vpc.ts';

/** Everything that keeps the VPC from being used as asked; empty when it is valid. */
export function validateVpc(vpc: Vpc, { subnets }: { readonly subnets: Iterable<Subnet> }): readonly Problem[] {
	const { name } = vpc.metadata;
	const wanted = vpc.spec.defaultSubnet;
	if (!wanted) return [];
	const field = 'spec.defaultSubnet';
	for (const subnet of subnets) {
		if (subnet.metadata.name !== wanted) continue;
		const home = vpcOf(subnet);
		if (home === name) return [];
		const why = home === undefined ? `subnet ${wanted} is not carried by OVN` : `subnet ${wanted} belongs to VPC ${home}`;
		return [
			{ reason: 'DefaultSubnetElsewhere', field, what: `VPC ${name} has no default subnet`, why, fix: `name a subnet of VPC ${name}` },
		];
	}
	return [
		{
			reason: 'DefaultSubnetUnknown',
			field,
			what: `VPC ${name} has no default subnet`,
			why: `there is no Subnet ${wanted}`,
			fix: `create Subnet ${wanted} with spec.vpc ${name}, or name another`,
		},
	];
}
