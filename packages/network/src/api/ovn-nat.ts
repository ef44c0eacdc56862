import { conditions } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { boolean, object, oneOf, string, type TypeOf } from './schema.ts';

const readyColumn = column('Ready', '.status.ready', 'boolean');
const ovnEip = string('OvnEip.');
const vpc = string('VPC. Cannot change.');
const target = {
	ipType: oneOf(['', 'vip', 'ip'], 'Kind of the object that `ipName` names (default `ip`).'),
	ipName: string('IP or Vip object.'),
	v4Ip: string('Inner IPv4 address, in place of `ipName`.'),
	v6Ip: string('Inner IPv6 address, in place of `ipName`.'),
};
const ruleStatus = {
	conditions,
	ready: boolean('Whether the rule is in force.'),
	vpc: string('VPC that has the rule.'),
	v4Eip: string('Outer IPv4 address.'),
	v6Eip: string('Outer IPv6 address.'),
};
const innerStatus = { v4Ip: string('Inner IPv4 address.'), v6Ip: string('Inner IPv6 address.') };

export const ovnEipResource = kubeOvnResource('ovn-eips', 'OvnEip');

export const ovnEipSpec = object('An outer address.', {
	externalSubnet: string('Subnet of the address. Cannot change.'),
	type: oneOf(['', 'lrp', 'lsp', 'nat'], "What has the address: a router port, a node's switch port, or NAT rules (default `nat`)."),
	v4Ip: string('IPv4 address; one is chosen when empty.'),
	v6Ip: string('IPv6 address; one is chosen when empty.'),
	macAddress: string('MAC address.'),
});
export const ovnEipStatus = object('What the controller found and made.', {
	conditions,
	ready: boolean('Whether the address is in use.'),
	type: string('What has the address.'),
	nat: string('Kinds of rules that use it.'),
	v4Ip: string('IPv4 address.'),
	v6Ip: string('IPv6 address.'),
	macAddress: string('MAC address.'),
});
export type OvnEip = ApiObject<TypeOf<typeof ovnEipSpec>, TypeOf<typeof ovnEipStatus>>;

export const ovnEipKind: KindDefinition = {
	resource: ovnEipResource,
	singular: 'ovn-eip',
	shortNames: ['oeip'],
	description: "An outer address of a VPC's router.",
	spec: ovnEipSpec,
	status: ovnEipStatus,
	statusSubresource: true,
	columns: [
		column('V4IP', '.status.v4Ip'),
		column('V6IP', '.status.v6Ip'),
		column('Mac', '.status.macAddress'),
		column('Type', '.status.type'),
		column('Nat', '.status.nat'),
		readyColumn,
		column('ExternalSubnet', '.spec.externalSubnet'),
	],
};

export const ovnFipResource = kubeOvnResource('ovn-fips', 'OvnFip');

export const ovnFipSpec = object('An outer address for one inner address.', {
	ovnEip,
	vpc,
	...target,
	type: oneOf(['', 'distributed', 'centralized'], 'Where addresses are translated.'),
});
export const ovnFipStatus = object('What the controller found and made.', { ...ruleStatus, ...innerStatus });
export type OvnFip = ApiObject<TypeOf<typeof ovnFipSpec>, TypeOf<typeof ovnFipStatus>>;

export const ovnFipKind: KindDefinition = {
	resource: ovnFipResource,
	singular: 'ovn-fip',
	shortNames: ['ofip'],
	description: 'An outer address that stands for one inner address, in both directions.',
	spec: ovnFipSpec,
	status: ovnFipStatus,
	statusSubresource: true,
	columns: [
		column('Vpc', '.status.vpc'),
		column('Type', '.spec.type'),
		column('V4Eip', '.status.v4Eip'),
		column('V6Eip', '.status.v6Eip'),
		column('V4Ip', '.status.v4Ip'),
		column('V6Ip', '.status.v6Ip'),
		readyColumn,
		column('IpType', '.spec.ipType'),
		column('IpName', '.spec.ipName'),
	],
};

export const ovnSnatRuleResource = kubeOvnResource('ovn-snat-rules', 'OvnSnatRule');

export const ovnSnatRuleSpec = object('An outer address that inner ones leave with.', {
	ovnEip,
	vpc,
	vpcSubnet: string('Subnet whose addresses leave with it.'),
	ipName: string('IP object, in place of `vpcSubnet`.'),
	v4IpCidr: string('IPv4 block, in place of `vpcSubnet`.'),
	v6IpCidr: string('IPv6 block, in place of `vpcSubnet`.'),
});
export const ovnSnatRuleStatus = object('What the controller found and made.', {
	...ruleStatus,
	v4IpCidr: string('Inner IPv4 block.'),
	v6IpCidr: string('Inner IPv6 block.'),
});
export type OvnSnatRule = ApiObject<TypeOf<typeof ovnSnatRuleSpec>, TypeOf<typeof ovnSnatRuleStatus>>;

export const ovnSnatRuleKind: KindDefinition = {
	resource: ovnSnatRuleResource,
	singular: 'ovn-snat-rule',
	shortNames: ['osnat'],
	description: 'An outer address that inner addresses share on the way out.',
	spec: ovnSnatRuleSpec,
	status: ovnSnatRuleStatus,
	statusSubresource: true,
	columns: [
		column('Vpc', '.status.vpc'),
		column('V4Eip', '.status.v4Eip'),
		column('V6Eip', '.status.v6Eip'),
		column('V4IpCidr', '.status.v4IpCidr'),
		column('V6IpCidr', '.status.v6IpCidr'),
		readyColumn,
	],
};

export const ovnDnatRuleResource = kubeOvnResource('ovn-dnat-rules', 'OvnDnatRule');

const forwarding = {
	protocol: string('`tcp` or `udp`.'),
	externalPort: string('Outer port.'),
	internalPort: string('Inner port.'),
};
export const ovnDnatRuleSpec = object('A port of an outer address for one of an inner address.', { ovnEip, vpc, ...target, ...forwarding });
export const ovnDnatRuleStatus = object('What the controller found and made.', {
	...ruleStatus,
	...innerStatus,
	...forwarding,
	ipName: string('IP or Vip object.'),
});
export type OvnDnatRule = ApiObject<TypeOf<typeof ovnDnatRuleSpec>, TypeOf<typeof ovnDnatRuleStatus>>;

export const ovnDnatRuleKind: KindDefinition = {
	resource: ovnDnatRuleResource,
	singular: 'ovn-dnat-rule',
	shortNames: ['odnat'],
	description: 'A port of an outer address that leads to a port of an inner one.',
	spec: ovnDnatRuleSpec,
	status: ovnDnatRuleStatus,
	statusSubresource: true,
	columns: [
		column('Vpc', '.status.vpc'),
		column('Eip', '.spec.ovnEip'),
		column('Protocol', '.status.protocol'),
		column('V4Eip', '.status.v4Eip'),
		column('V6Eip', '.status.v6Eip'),
		column('V4Ip', '.status.v4Ip'),
		column('V6Ip', '.status.v6Ip'),
		column('InternalPort', '.status.internalPort'),
		column('ExternalPort', '.status.externalPort'),
		column('IpName', '.spec.ipName'),
		readyColumn,
	],
};
