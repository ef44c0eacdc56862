import { type Cidr, cidrContains, formatCidr, formatIp, type Ip, parseIp, rangesContain } from '@tapestry/base';
import { isOlder } from './is-older.ts';
import { annotations, defaultNames } from './names.ts';
import type { Problem } from './problem.ts';
import type { SwitchLbRule } from './service-kinds.ts';
import type { Subnet } from './subnet.ts';
import { splitList, subnetBlocks, subnetExcludes, subnetGateways, vpcOf } from './subnet-addressing.ts';
import type { Vip } from './vip.ts';
import type { Vpc } from './vpc.ts';

export interface SwitchLbRuleContext {
	/** All rules, this one among them or not. */
	readonly others: Iterable<SwitchLbRule>;
	readonly subnets: readonly Subnet[];
	readonly vpcs: readonly Vpc[];
	readonly vips: Iterable<Vip>;
	readonly namespaces: { has(name: string): boolean };
	readonly serviceCidrs: readonly Cidr[];
}

/** What is wrong with a rule; it is in force when nothing is. Of two with one address and port the older has it. */
export function validateSwitchLbRule(rule: SwitchLbRule, context: SwitchLbRuleContext): readonly Problem[] {
	const what = `rule ${rule.metadata.name} is not in force`;
	return [
		...formProblems(rule, what),
		...namespaceProblem(rule, what, context),
		...ruleVips(rule).flatMap((ip) => addressProblems(rule, ip, what, context)),
		...healthProblem(rule, context),
		...duplicateProblem(rule, what, context),
	];
}

/** What is wrong with a rule whatever else there is: nothing of this can heal by itself. */
export const malformedRule = ['InvalidVip', 'NoPorts', 'InvalidPort', 'NoEndpoints', 'InvalidSelector', 'InvalidEndpoint'] as const;

/** `spec.vip`: an address, or one of each family with `,` between them. Malformed ones are left out. */
export function ruleVips({ spec }: SwitchLbRule): readonly Ip[] {
	return splitList(spec.vip).flatMap((text) => parseIp(text) ?? []);
}

/** Name of a port where the user gave none: slices know ports by their names. */
export function rulePortName({ name, port = 0, protocol }: RulePort): string {
	return name || `${(protocol || 'TCP').toLowerCase()}-${port}`;
}

/** `key: value` items as labels; undefined when one is malformed. */
export function ruleSelector({ spec }: SwitchLbRule): Readonly<Record<string, string>> | undefined {
	const pairs = (spec.selector ?? []).map((item) => /^\s*([^\s:]+)\s*:\s*(\S*)\s*$/.exec(item));
	return pairs.every((pair) => pair !== null) ? Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value])) : undefined;
}

/** The subnets of the rule's VPC that its addresses lie in: their clients look for the addresses on the switch itself. */
export function ruleSubnets(rule: SwitchLbRule, subnets: readonly Subnet[], vpcs: readonly Vpc[]): readonly Subnet[] {
	const vpc = vpcOfNamespace(rule.spec.namespace ?? '', subnets, vpcs);
	const own = subnets.filter((subnet) => vpcOf(subnet) === vpc);
	return own.filter((subnet) => ruleVips(rule).some((ip) => (subnetBlocks(subnet) ?? []).some((cidr) => cidrContains(cidr, ip))));
}

/** Where pods of the namespace are, unless they ask for another subnet. */
function vpcOfNamespace(namespace: string, subnets: readonly Subnet[], vpcs: readonly Vpc[]): string {
	const subnet = subnets.find(({ spec }) => spec.namespaces?.includes(namespace));
	const vpc = vpcs.find(({ spec }) => spec.namespaces?.includes(namespace));
	return (subnet && vpcOf(subnet)) ?? vpc?.metadata.name ?? defaultNames.vpc;
}

type RulePort = NonNullable<SwitchLbRule['spec']['ports']>[number];

function formProblems(rule: SwitchLbRule, what: string): Problem[] {
	const { vip = '', ports = [], selector = [], endpoints = [] } = rule.spec;
	const problems: Problem[] = [];
	const add = (reason: string, field: string, why: string, fix: string): void => void problems.push({ reason, field, what, why, fix });
	const families = ruleVips(rule).map(({ family }) => family);
	if (families.length === 0 || families.length !== splitList(vip).length || new Set(families).size !== families.length) {
		add('InvalidVip', 'spec.vip', `"${vip}" is not an address, nor one of each family`, 'write it like 10.0.0.9 or 10.0.0.9,fd00::9');
	}
	if (ports.length === 0) add('NoPorts', 'spec.ports', 'it has no ports', 'name at least one port');
	for (const port of ports) {
		if (!port.port) add('InvalidPort', 'spec.ports', 'a port has no number', 'give each port a number from 1 to 65535');
		if (port.protocol && !['TCP', 'UDP', 'SCTP'].includes(port.protocol.toUpperCase()))
			add('InvalidPort', 'spec.ports', `"${port.protocol}" is no protocol`, 'use TCP, UDP or SCTP');
	}
	const names = ports.map(rulePortName);
	if (new Set(names).size !== names.length) add('InvalidPort', 'spec.ports', 'two ports have one name', 'give each a name of its own');
	if (selector.length + endpoints.length === 0) add('NoEndpoints', 'spec.selector', 'nobody is behind it', 'give a selector or endpoints');
	if (!ruleSelector(rule)) add('InvalidSelector', 'spec.selector', 'an item is not a label', 'write items like "app: web"');
	const wrong = endpoints.filter((text) => !parseIp(text));
	if (wrong.length > 0) add('InvalidEndpoint', 'spec.endpoints', `${wrong.join(', ')} is not an address`, 'list addresses');
	return problems;
}

function namespaceProblem({ spec }: SwitchLbRule, what: string, { namespaces }: SwitchLbRuleContext): Problem[] {
	const { namespace = '' } = spec;
	if (namespace !== '' && namespaces.has(namespace)) return [];
	const why = namespace === '' ? 'it names no namespace' : `there is no namespace ${namespace}`;
	return [{ reason: 'UnknownNamespace', field: 'spec.namespace', what, why, fix: 'name the namespace of the pods behind it' }];
}

function addressProblems(rule: SwitchLbRule, ip: Ip, what: string, { subnets, vpcs, vips, serviceCidrs }: SwitchLbRuleContext): Problem[] {
	const text = formatIp(ip);
	const services = serviceCidrs.find((cidr) => cidrContains(cidr, ip));
	if (services) {
		const why = `${text} lies in ${formatCidr(services)}, where the Services are`;
		return [{ reason: 'VipInServiceCidr', field: 'spec.vip', what, why, fix: 'use another address' }];
	}
	const around = ruleSubnets(rule, subnets, vpcs).find((subnet) => (subnetBlocks(subnet) ?? []).some((cidr) => cidrContains(cidr, ip)));
	if (!around) return [];
	const { name } = around.metadata;
	if (ip.family === 6) {
		const unanswered = `${text} lies in subnet ${name}, where nobody answers neighbour solicitations for it: OVN does so for IPv4 only`;
		return [
			{ reason: 'VipOnLink', field: 'spec.vip', what, why: unanswered, fix: 'use an IPv6 address outside of the subnets of the VPC' },
		];
	}
	const isKept = [...vips].some(
		({ spec, status }) => spec.type === 'switch_lb_vip' && spec.subnet === name && (status?.v4ip || spec.v4ip) === text,
	);
	if (isKept || rangesContain(subnetExcludes(around) ?? [], ip)) return [];
	const why = `${text} lies in subnet ${name}, which may give it to a pod`;
	return [
		{
			reason: 'VipNotReserved',
			field: 'spec.vip',
			what,
			why,
			fix: `add ${text} to excludeIps of subnet ${name}, or use an address outside`,
		},
	];
}

function healthProblem(rule: SwitchLbRule, { subnets, vpcs }: SwitchLbRuleContext): Problem[] {
	const text = rule.metadata.annotations?.[annotations.healthCheckSource];
	if (text === undefined) return [];
	const ip = parseIp(text);
	const vpc = vpcOfNamespace(rule.spec.namespace ?? '', subnets, vpcs);
	const isFree = (subnet: Subnet): boolean => vpcOf(subnet) === vpc && ip !== undefined && rangesContain(subnetExcludes(subnet) ?? [], ip);
	const isVip = ip !== undefined && ruleVips(rule).some((vip) => formatIp(vip) === formatIp(ip));
	if (
		ip?.family === 4 &&
		!isVip &&
		subnets.some((subnet) => isFree(subnet) && !(subnetGateways(subnet) ?? []).some((gateway) => formatIp(gateway) === formatIp(ip)))
	)
		return [];
	const what = `nobody asks the endpoints of rule ${rule.metadata.name} whether they are alive`;
	const why = `${text} is not an IPv4 address that the subnet of the endpoints keeps free`;
	return [
		{
			reason: 'HealthSourceNotReserved',
			field: 'metadata.annotations',
			what,
			why,
			fix: 'name another address of excludeIps of that subnet',
		},
	];
}

function duplicateProblem(rule: SwitchLbRule, what: string, { others, subnets, vpcs }: SwitchLbRuleContext): Problem[] {
	const vpc = (one: SwitchLbRule): string => vpcOfNamespace(one.spec.namespace ?? '', subnets, vpcs);
	const own = new Set(listeners(rule));
	for (const other of others) {
		if (other.metadata.name === rule.metadata.name || !isOlder(other, rule) || vpc(other) !== vpc(rule)) continue;
		const both = listeners(other).find((listener) => own.has(listener));
		if (both === undefined) continue;
		const why = `rule ${other.metadata.name} has ${both} already`;
		return [{ reason: 'DuplicateVip', field: 'spec.vip', what, why, fix: 'use another address or port' }];
	}
	return [];
}

function listeners(rule: SwitchLbRule): string[] {
	const { ports = [] } = rule.spec;
	return ruleVips(rule).flatMap((ip) =>
		ports.map(({ port = 0, protocol }) => `${formatIp(ip)} ${(protocol || 'TCP').toUpperCase()} ${port}`),
	);
}
