import { cidrContains } from '@tapestry/base';
import { annotations, type Problem } from '@tapestry/network';
import type { AdmittedSubnet, AdmittedVpc } from '../admission/admission.ts';
import type { AdmittedPool } from '../admission/pools.ts';
import { refuse } from '../problems.ts';
import type { Claimant } from './claimant.ts';
import { type AddressRequest, namedAddresses } from './request.ts';

/** What the choice depends on. */
export interface Networks {
	/** Of a subnet that is in use. */
	subnet(name: string): AdmittedSubnet | undefined;
	subnets(): Iterable<AdmittedSubnet>;
	/** Why a subnet is not in use. */
	refusal(name: string): readonly Problem[] | undefined;
	pool(name: string): AdmittedPool | undefined;
	pools(): Iterable<AdmittedPool>;
	vpc(name: string): AdmittedVpc | undefined;
	vpcs(): Iterable<AdmittedVpc>;
	namespace(name: string): NamespaceInfo | undefined;
	readonly defaultSubnet: string;
	readonly joinSubnet: string;
}

export interface NamespaceInfo {
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The subnet of a lease: the one that the owner names, else one bound to its namespace, else the default subnet of a VPC bound to
 * the namespace, else the cluster's. Throws REFUSED.
 */
export function chooseSubnet(claimant: Claimant, request: AddressRequest, networks: Networks): AdmittedSubnet {
	const subnet = subnetFor(claimant, request, networks);
	if (!subnet.isLeaving) return subnet;
	const { name } = subnet.facts;
	const fix = `create Subnet ${name} again when it is gone, or name another`;
	return refuse({ reason: 'SubnetLeaving', what: `subnet ${name} gives no more addresses`, why: 'it is being deleted', fix });
}

function subnetFor(claimant: Claimant, request: AddressRequest, networks: Networks): AdmittedSubnet {
	if (claimant.kind === 'Node') return inUse(networks, networks.joinSubnet, 'nodes are connected to it');
	const named = claimant.annotations[annotations.logicalSwitch];
	if (claimant.kind === 'Vip')
		return inUse(networks, named || networks.defaultSubnet, named ? 'spec.subnet names it' : 'it is the default subnet');
	if (named) return allowed(claimant, inUse(networks, named, `the annotation ${annotations.logicalSwitch} names it`), networks);
	const { addresses } = request;
	const pool = addresses.kind === 'pools' ? addresses.pools[0] : undefined;
	if (pool) return allowed(claimant, inUse(networks, pool.subnet, `IPPool ${pool.name} is a part of it`), networks);
	const bound = boundSubnets(claimant.namespace, networks);
	if (bound[0]) return bound.find((subnet) => fits(subnet, request)) ?? bound[0];
	const vpc = [...networks.vpcs()].find((one) => one.namespaces.includes(claimant.namespace));
	return vpc ? ofVpc(claimant, request, vpc, networks) : inUse(networks, networks.defaultSubnet, 'it is the default subnet');
}

function boundSubnets(namespace: string, networks: Networks): AdmittedSubnet[] {
	const info = networks.namespace(namespace);
	const named = (info?.annotations[annotations.logicalSwitch] ?? '').split(',').map((name) => name.trim());
	const binds = ({ facts, namespaces, selects }: AdmittedSubnet) =>
		named.includes(facts.name) || namespaces.includes(namespace) || selects(info?.labels ?? {});
	return [...networks.subnets()].filter(binds).sort(byName);
}

function ofVpc(claimant: Claimant, request: AddressRequest, vpc: AdmittedVpc, networks: Networks): AdmittedSubnet {
	const { name } = vpc.facts;
	if (vpc.defaultSubnet) return inUse(networks, vpc.defaultSubnet, `it is the default subnet of VPC ${name}`);
	const own = [...networks.subnets()].filter(({ facts }) => facts.vpc === name && !facts.isJoin).sort(byName);
	const subnet = own.find((one) => fits(one, request)) ?? own[0];
	return (
		subnet ??
		refuse({
			reason: 'SubnetUnknown',
			what: `${claimant.kind} ${claimant.namespace}/${claimant.name} has no subnet`,
			why: `its namespace belongs to VPC ${name}, which has no subnet in use`,
			fix: `create a Subnet with spec.vpc ${name}`,
		})
	);
}

function inUse(networks: Networks, name: string, because: string): AdmittedSubnet {
	const subnet = networks.subnet(name);
	if (subnet) return subnet;
	const [refusal] = networks.refusal(name) ?? [];
	const what = `subnet ${name} is wanted (${because}) but not in use`;
	if (refusal) return refuse({ reason: 'SubnetRefused', what, why: `${refusal.what}: ${refusal.why}`, fix: refusal.fix });
	return refuse({ reason: 'SubnetUnknown', what, why: `there is no Subnet ${name}`, fix: `create Subnet ${name}, or name another` });
}

/** A VPC with a list of namespaces is for these only, and the join network for nodes. */
function allowed(claimant: Claimant, subnet: AdmittedSubnet, networks: Networks): AdmittedSubnet {
	const { facts, namespaces } = subnet;
	const what = `subnet ${facts.name} cannot be used from namespace ${claimant.namespace}`;
	if (facts.isJoin) return refuse({ reason: 'SubnetForbidden', what, why: 'it connects the nodes', fix: 'name another subnet' });
	const guests = networks.vpc(facts.vpc)?.namespaces ?? [];
	if (guests.length === 0 || guests.includes(claimant.namespace) || namespaces.includes(claimant.namespace)) return subnet;
	const why = `its VPC ${facts.vpc} is for namespaces ${guests.join(', ')}`;
	return refuse({ reason: 'SubnetForbidden', what, why, fix: `add the namespace to spec.namespaces of Vpc ${facts.vpc}` });
}

/** Whether the subnet has the addresses that are asked for. */
function fits({ spaces }: AdmittedSubnet, request: AddressRequest): boolean {
	const entries = namedAddresses(request);
	return entries.length === 0 || entries.some((ips) => ips.every((ip) => spaces.some(({ cidr }) => cidrContains(cidr, ip))));
}

/** Those that are being deleted come last. */
function byName(a: AdmittedSubnet, b: AdmittedSubnet): number {
	if (a.isLeaving !== b.isLeaving) return Number(a.isLeaving) - Number(b.isLeaving);
	return a.facts.name < b.facts.name ? -1 : 1;
}
