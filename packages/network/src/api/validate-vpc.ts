import { cidrContains, cidrsOverlap, formatCidr, formatIp, parseIp } from '@tapestry/base';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { subnetBlocks, vpcOf } from './subnet-addressing.ts';
import type { Vpc } from './vpc.ts';
import { type Peering, readNetwork, readPeerings, readPolicyRoutes, readStaticRoutes } from './vpc-routes.ts';

export interface VpcSurroundings {
	readonly subnets: Iterable<Subnet>;
	/** All VPCs; the one that is looked at may be among them. */
	readonly vpcs: Iterable<Vpc>;
}

/** Everything that keeps the VPC from being used as asked; empty when it is valid. */
export function validateVpc(vpc: Vpc, { subnets, vpcs }: VpcSurroundings): readonly Problem[] {
	const all = [...subnets];
	const own = all.filter((subnet) => vpcOf(subnet) === vpc.metadata.name);
	const peerings = readPeerings(vpc);
	return [
		...readStaticRoutes(vpc).problems,
		...readPolicyRoutes(vpc).problems,
		...peerings.problems,
		...peerings.values.flatMap((peering) => [...peerProblems(vpc, peering, own, vpcs)]),
		...nextHopProblems(vpc, peerings.values, own),
		...defaultSubnetProblems(vpc, all),
	];
}

function* defaultSubnetProblems(vpc: Vpc, subnets: readonly Subnet[]): Generator<Problem> {
	const { name } = vpc.metadata;
	const wanted = vpc.spec.defaultSubnet;
	if (!wanted) return;
	const field = 'spec.defaultSubnet';
	const what = `VPC ${name} has no default subnet`;
	const subnet = subnets.find(({ metadata }) => metadata.name === wanted);
	if (!subnet) {
		const fix = `create Subnet ${wanted} with spec.vpc ${name}, or name another`;
		yield { reason: 'DefaultSubnetUnknown', field, what, why: `there is no Subnet ${wanted}`, fix };
		return;
	}
	const home = vpcOf(subnet);
	if (home === name) return;
	const why = home === undefined ? `subnet ${wanted} is not carried by OVN` : `subnet ${wanted} belongs to VPC ${home}`;
	yield { reason: 'DefaultSubnetElsewhere', field, what, why, fix: `name a subnet of VPC ${name}` };
}

function* peerProblems(vpc: Vpc, { remote, networks }: Peering, own: readonly Subnet[], vpcs: Iterable<Vpc>): Generator<Problem> {
	const { name } = vpc.metadata;
	const field = 'spec.vpcPeerings';
	const what = `the link from VPC ${name} to VPC ${remote} carries nothing`;
	for (const text of networks) {
		const cidr = readNetwork(text)?.cidr;
		const subnet = own.find((one) => (subnetBlocks(one) ?? []).some((block) => cidr && cidrsOverlap(block, cidr)));
		if (!subnet) continue;
		const why = `its localConnectIP ${text} is in subnet ${subnet.metadata.name} of the same VPC`;
		yield { reason: 'CidrOverlap', field, what, why, fix: 'use a block that no subnet has, such as 169.254.0.0/30' };
	}
	const other = [...vpcs].find(({ metadata }) => metadata.name === remote);
	if (!other) {
		yield { reason: 'PeerUnknown', field, what, why: `there is no Vpc ${remote}`, fix: `create Vpc ${remote}, or name another` };
		return;
	}
	const back = readPeerings(other).values.find((one) => one.remote === name);
	if (!back) {
		const fix = `add an entry with remoteVpc ${name} to spec.vpcPeerings of Vpc ${remote}`;
		yield { reason: 'PeeringOneSided', field, what, why: `Vpc ${remote} does not name ${name} in its vpcPeerings`, fix };
		return;
	}
	const theirs = back.networks.map(readNetwork);
	for (const text of networks) {
		const ours = readNetwork(text);
		const there = theirs.find((network) => network?.address.family === ours?.address.family);
		const fix = `give the two sides different addresses of one block, such as 169.254.0.1/30 and 169.254.0.2/30`;
		if (!ours || (there && formatCidr(there.cidr) === formatCidr(ours.cidr) && formatIp(there.address) !== formatIp(ours.address)))
			continue;
		const side = there ? `${formatIp(there.address)}/${there.cidr.prefix}` : 'no address of this family';
		yield { reason: 'PeeringMismatch', field, what, why: `this side has ${text}, Vpc ${remote} has ${side}`, fix };
	}
}

/** OVN leaves out a route whose next hop no port of the router can reach (ovn-northd logs it, and nobody looks there). */
function* nextHopProblems(vpc: Vpc, peerings: readonly Peering[], own: readonly Subnet[]): Generator<Problem> {
	const links = peerings.flatMap(({ networks }) => networks.map((text) => readNetwork(text)?.cidr));
	const reachable = [...links, ...own.flatMap((subnet) => subnetBlocks(subnet) ?? [])].filter((cidr) => cidr !== undefined);
	for (const { cidr, nextHop } of readStaticRoutes(vpc).values) {
		const hop = parseIp(nextHop);
		if (!hop || reachable.some((block) => cidrContains(block, hop))) continue;
		yield {
			reason: 'NextHopUnreachable',
			field: 'spec.staticRoutes',
			what: `the static route to ${cidr} leads nowhere`,
			why: `its next hop ${nextHop} is in no subnet and no link of VPC ${vpc.metadata.name}`,
			fix: 'name an address of a subnet of the VPC, or of the other side of a link',
		};
	}
}
