import {
	type AdminNetworkPolicy,
	type BaselineAdminNetworkPolicy,
	defaultSubnet,
	type IpLease,
	type IpPool,
	leasedAddresses,
	malformedRule,
	type NetworkPolicy,
	type Problem,
	readAdminPolicy,
	readBaselinePolicy,
	readNetworkPolicy,
	readSecurityGroup,
	type SecurityGroup,
	type Subnet,
	type SwitchLbRule,
	subnetChangeProblems,
	subnetNotes,
	type Vip,
	type Vpc,
	validateIpPool,
	validateSubnet,
	validateSwitchLbRule,
	validateVpc,
	vipProblems,
} from '@tapestry/network';
import type { AdmissionOptions } from '../admission/admission.ts';
import { serviceOverlap } from '../admission/admit.ts';

/** The objects that there are, as the controller's watches know them. */
export interface Surroundings {
	readonly subnets: readonly Subnet[];
	readonly vpcs: readonly Vpc[];
	readonly ipPools: readonly IpPool[];
	readonly leases: readonly IpLease[];
	readonly adminPolicies: readonly AdminNetworkPolicy[];
}

export type ValidatorOptions = Pick<AdmissionOptions, 'defaultVpc' | 'serviceCidrs'>;

export interface Validator {
	readonly group: string;
	readonly version: string;
	readonly plural: string;
	/**
	 * Reasons for which a request is refused: what only the user can mend, in this very object. All others wait in a condition, for another
	 * object may yet make them right.
	 */
	readonly refuses: readonly string[];
	/** What of the object it judges: a change that leaves this as it is passes. @default the spec */
	readonly reads?: (object: never) => unknown;
	problems(object: never, surroundings: Surroundings, options: ValidatorOptions): readonly Problem[];
}

const kubeOvn = { group: 'kubeovn.io', version: 'v1' } as const;
const policyApi = { group: 'policy.networking.k8s.io', version: 'v1alpha1' } as const;

const subnets: Validator = {
	...kubeOvn,
	plural: 'subnets',
	refuses: [
		'NameClash',
		'CidrMissing',
		'CidrMalformed',
		'CidrTooSmall',
		'CidrOverlap',
		'ProtocolMismatch',
		'GatewayMalformed',
		'GatewayOutside',
		'GatewayReserved',
		'ExcludeMalformed',
		'ExcludeDescending',
		'ExcludeOutside',
		'MtuTooSmall',
		'OptionMalformed',
		'AclMalformed',
		'BlockMalformed',
		'CidrHeld',
		'FieldImmutable',
		'GatewayTypeUnknown',
		'GatewayNodeMissing',
		'GatewayContradiction',
		'EgressContradiction',
		'NatRuleMalformed',
		'NatRulesWithoutNat',
	],
	problems(object: Subnet, { subnets: others, vpcs: all, leases }, options) {
		const subnet = defaultSubnet(object);
		const { name } = subnet.metadata;
		const before = others.find(({ metadata }) => metadata.name === name);
		const held = leases.filter(({ spec }) => spec.subnet === name).map(leasedAddresses);
		return [
			...validateSubnet(subnet, { others, vpcs: all }),
			...serviceOverlap(subnet, options),
			...subnetNotes(subnet, others),
			...(before ? subnetChangeProblems(before, subnet, held) : []),
		];
	},
};

const vpcs: Validator = {
	...kubeOvn,
	plural: 'vpcs',
	refuses: ['RouteMalformed', 'RouteDuplicate', 'PeeringMalformed', 'PeeringDuplicate'],
	problems: (vpc: Vpc, surroundings) => validateVpc(vpc, surroundings),
};

const ipPools: Validator = {
	...kubeOvn,
	plural: 'ippools',
	refuses: ['PoolMalformed', 'PoolOutside', 'PoolOverlap'],
	problems: (pool: IpPool, { subnets: all, ipPools: others }) =>
		validateIpPool(
			pool,
			all.find(({ metadata }) => metadata.name === pool.spec.subnet),
			others,
		),
};

const vips: Validator = { ...kubeOvn, plural: 'vips', refuses: ['VipMalformed'], problems: (vip: Vip) => vipProblems(vip) };

const switchLbRules: Validator = {
	...kubeOvn,
	plural: 'switch-lb-rules',
	refuses: malformedRule,
	problems: (rule: SwitchLbRule) =>
		validateSwitchLbRule(rule, { others: [], subnets: [], vpcs: [], vips: [], namespaces: { has: () => true }, serviceCidrs: [] }),
};

const securityGroups: Validator = {
	...kubeOvn,
	plural: 'security-groups',
	refuses: ['RuleMalformed'],
	problems: (group: SecurityGroup) => readSecurityGroup(group, () => true).problems,
};

const adminPolicies: Validator = {
	...policyApi,
	plural: 'adminnetworkpolicies',
	refuses: ['PriorityOutOfRange', 'PriorityTaken', 'SubjectMalformed'],
	problems: (policy: AdminNetworkPolicy, surroundings) => readAdminPolicy(policy, surroundings.adminPolicies).problems,
};

const baselinePolicies: Validator = {
	...policyApi,
	plural: 'baselineadminnetworkpolicies',
	refuses: ['SubjectMalformed'],
	problems: (policy: BaselineAdminNetworkPolicy) => readBaselinePolicy(policy).problems,
};

/** As Kubernetes' own server refuses them. */
const networkPolicies: Validator = {
	group: 'networking.k8s.io',
	version: 'v1',
	plural: 'networkpolicies',
	refuses: ['BlockMalformed', 'ExceptMalformed', 'PeerMalformed', 'PortMalformed'],
	problems: (policy: NetworkPolicy) => readNetworkPolicy(policy).problems,
};

export const validators: readonly Validator[] = [
	subnets,
	vpcs,
	ipPools,
	vips,
	switchLbRules,
	securityGroups,
	adminPolicies,
	baselinePolicies,
	networkPolicies,
];
