import { cidrsOverlap, formatCidr, type IpRange, mergeRanges } from '@tapestry/base';
import {
	addressSpaces,
	defaultSubnet,
	type IpPool,
	type Problem,
	type Subnet,
	sameFacts,
	selectorMatches,
	subnetNotes,
	type Vpc,
	validateSubnet,
	validateVpc,
} from '@tapestry/network';
import type { Admission, AdmissionOptions, AdmittedSubnet } from './admission.ts';
import { admitPools } from './pools.ts';
import { readVpc } from './read-vpc.ts';
import { subnetFacts } from './subnet-facts.ts';

/** Decides which VPCs and subnets are in use, from all of them, so that every controller decides alike. */
export function admit(
	vpcs: readonly Vpc[],
	subnets: readonly Subnet[],
	options: AdmissionOptions,
	ipPools: readonly IpPool[] = [],
): Admission {
	const admission = { vpcs: new Map(), subnets: new Map(), vpcProblems: new Map(), refusedSubnets: new Map(), subnetProblems: new Map() };
	for (const vpc of vpcs) {
		const { name } = vpc.metadata;
		const all = validateVpc(vpc, { subnets, vpcs });
		admission.vpcs.set(name, readVpc(vpc, options));
		if (all.length > 0) admission.vpcProblems.set(name, all);
	}
	const pools = admitPools(ipPools, new Map(subnets.map((subnet) => [subnet.metadata.name, subnet])));
	const setAside = Map.groupBy(pools.pools.values(), (pool) => pool.subnet);
	for (const subnet of subnets.map(defaultSubnet)) {
		const { name } = subnet.metadata;
		const problems = [...unbuilt(subnet), ...validateSubnet(subnet, { others: subnets, vpcs }), ...serviceOverlap(subnet, options)];
		if (problems.length > 0) admission.refusedSubnets.set(name, problems);
		else
			admission.subnets.set(name, admittedSubnet(subnet, options, mergeRanges((setAside.get(name) ?? []).flatMap(({ ranges }) => ranges))));
		const all = [...problems, ...subnetNotes(subnet, subnets)];
		if (all.length > 0) admission.subnetProblems.set(name, all);
	}
	return { ...admission, ...pools };
}

/** Whether a change of the subnet matters to those who use it. */
export function sameSubnet(a: AdmittedSubnet, b: AdmittedSubnet): boolean {
	const plain = ({ selects: _, ...rest }: AdmittedSubnet) => rest;
	return sameFacts(plain(a), plain(b));
}

function admittedSubnet(subnet: Subnet, options: AdmissionOptions, setAside: readonly IpRange[]): AdmittedSubnet {
	const { spec } = subnet;
	const selectors = spec.namespaceSelectors ?? [];
	return {
		facts: subnetFacts(subnet, options),
		spaces: addressSpaces(subnet),
		setAside,
		namespaces: spec.namespaces ?? [],
		selects: (labels) => selectors.some((selector) => selectorMatches(selector, labels)),
		isDefault: spec.default === true,
		isLeaving: subnet.metadata.deletionTimestamp !== undefined,
	};
}

function unbuilt({ metadata, spec }: Subnet): Problem[] {
	const what = `subnet ${metadata.name} is not in use`;
	const fix = 'use an overlay subnet: provider ovn, without vlan';
	if (spec.vlan) return [{ reason: 'NotBuilt', field: 'spec.vlan', what, why: 'underlay subnets are not built yet', fix }];
	if (spec.provider === 'ovn') return [];
	return [{ reason: 'NotBuilt', field: 'spec.provider', what, why: `secondary networks (${spec.provider}) are not built yet`, fix }];
}

/** A block of the default VPC that takes the Services' addresses away. */
export function serviceOverlap(subnet: Subnet, options: Pick<AdmissionOptions, 'defaultVpc' | 'serviceCidrs'>): Problem[] {
	if (subnet.spec.vpc !== options.defaultVpc) return [];
	return addressSpaces(subnet).flatMap(({ cidr }) => {
		const services = options.serviceCidrs.find((other) => cidrsOverlap(cidr, other));
		if (!services) return [];
		return {
			reason: 'CidrOverlap',
			field: 'spec.cidrBlock',
			what: `${formatCidr(cidr)} cannot be used in VPC ${options.defaultVpc}`,
			why: `it overlaps ${formatCidr(services)}, where the Services are`,
			fix: 'use a block of its own, or another VPC',
		};
	});
}
