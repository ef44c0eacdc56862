import { readPeerings, readPolicyRoutes, readStaticRoutes, type Vpc } from '@tapestry/network';
import type { AdmissionOptions, AdmittedVpc } from './admission.ts';

/** What a Vpc says. An entry that cannot be read is left out, and `validateVpc` tells about it; the others count. */
export function readVpc(vpc: Vpc, { defaultVpc }: Pick<AdmissionOptions, 'defaultVpc'>): AdmittedVpc {
	const { name } = vpc.metadata;
	const { namespaces = [], defaultSubnet } = vpc.spec;
	const facts = {
		name,
		isDefault: name === defaultVpc,
		staticRoutes: readStaticRoutes(vpc).values,
		policyRoutes: readPolicyRoutes(vpc).values,
		peerings: readPeerings(vpc).values,
	};
	return { facts, namespaces, defaultSubnet: defaultSubnet || undefined };
}
