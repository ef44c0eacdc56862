import type { AddressSpace, Cidr, IpRange } from '@tapestry/base';
import type { Problem, SubnetFacts, VpcFacts } from '@tapestry/network';
import type { PoolAdmission } from './pools.ts';

/** A VPC that is in use. */
export interface AdmittedVpc {
	readonly facts: VpcFacts;
	/** Namespaces that it is for; empty when for all. */
	readonly namespaces: readonly string[];
	readonly defaultSubnet: string | undefined;
}

/** A subnet that is in use. */
export interface AdmittedSubnet {
	readonly facts: SubnetFacts;
	/** What its addresses are given from, one for each of `facts.blocks`. */
	readonly spaces: readonly AddressSpace[];
	/** Addresses of pools, given only to those who ask for a pool; merged. */
	readonly setAside: readonly IpRange[];
	/** Namespaces whose pods get it. */
	readonly namespaces: readonly string[];
	/** Whether its namespace selectors match a namespace with these labels. */
	selects(labels: Readonly<Record<string, string>>): boolean;
	readonly isDefault: boolean;
	/** True for one that is being deleted: it keeps its leases but gives no more. */
	readonly isLeaving: boolean;
}

export interface Admission extends PoolAdmission {
	readonly vpcs: ReadonlyMap<string, AdmittedVpc>;
	readonly subnets: ReadonlyMap<string, AdmittedSubnet>;
	/** What is wrong with a VPC, which is in use all the same, by its name. */
	readonly vpcProblems: ReadonlyMap<string, readonly Problem[]>;
	/** Why a subnet is not in use, by its name. */
	readonly refusedSubnets: ReadonlyMap<string, readonly Problem[]>;
	/** What is wrong with a subnet, in use or not, by its name. */
	readonly subnetProblems: ReadonlyMap<string, readonly Problem[]>;
}

export interface AdmissionOptions {
	/** MTU of subnets that set none, in bytes. */
	readonly mtu: number;
	readonly defaultVpc: string;
	readonly joinSubnet: string;
	/** The Services' blocks: no subnet of the default VPC may overlap them. */
	readonly serviceCidrs: readonly Cidr[];
}
