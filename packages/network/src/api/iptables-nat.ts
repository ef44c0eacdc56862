import { conditions } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { boolean, object, oneOf, string, type TypeOf } from './schema.ts';

const readyColumn = column('Ready', '.status.ready', 'boolean');
const eip = string('IptablesEIP.');
const ruleStatus = {
	conditions,
	ready: boolean('Whether the rule is in force.'),
	v4ip: string('Outer IPv4 address.'),
	v6ip: string('Outer IPv6 address.'),
	natGwDp: string('VpcNatGateway that has the rule.'),
	redo: string('When the rule was last made again.'),
};

export const iptablesEipResource = kubeOvnResource('iptables-eips', 'IptablesEIP');

export const iptablesEipSpec = object('An outer address.', {
	v4ip: string('IPv4 address; one is chosen when empty.'),
	v6ip: string('IPv6 address; one is chosen when empty.'),
	macAddress: string('MAC address.'),
	natGwDp: string('VpcNatGateway that has the address.'),
	qosPolicy: string('QoSPolicy of the address.'),
	externalSubnet: string('Subnet of the address. Cannot change.'),
});
export const iptablesEipStatus = object('What the controller found and made.', {
	conditions,
	ready: boolean('Whether the address is in use.'),
	ip: string('The address.'),
	nat: string('Kinds of rules that use it.'),
	redo: string('When it was last made again.'),
	qosPolicy: string('QoSPolicy in force.'),
});
export type IptablesEip = ApiObject<TypeOf<typeof iptablesEipSpec>, TypeOf<typeof iptablesEipStatus>>;

export const iptablesEipKind: KindDefinition = {
	resource: iptablesEipResource,
	singular: 'iptables-eip',
	shortNames: ['eip'],
	description: 'An outer address of a VpcNatGateway.',
	spec: iptablesEipSpec,
	status: iptablesEipStatus,
	statusSubresource: true,
	columns: [
		column('IP', '.status.ip'),
		column('Mac', '.spec.macAddress'),
		column('Nat', '.status.nat'),
		column('NatGwDp', '.spec.natGwDp'),
		readyColumn,
	],
};

export const iptablesFipRuleResource = kubeOvnResource('iptables-fip-rules', 'IptablesFIPRule');

export const iptablesFipRuleSpec = object('An outer address for one inner address.', { eip, internalIp: string('Inner address.') });
export const iptablesFipRuleStatus = object('What the controller found and made.', {
	...ruleStatus,
	internalIp: string('Inner address in force.'),
});
export type IptablesFipRule = ApiObject<TypeOf<typeof iptablesFipRuleSpec>, TypeOf<typeof iptablesFipRuleStatus>>;

export const iptablesFipRuleKind: KindDefinition = {
	resource: iptablesFipRuleResource,
	singular: 'iptables-fip-rule',
	shortNames: ['fip'],
	description: 'An outer address that stands for one inner address, in both directions.',
	spec: iptablesFipRuleSpec,
	status: iptablesFipRuleStatus,
	statusSubresource: true,
	columns: [
		column('Eip', '.spec.eip'),
		column('V4ip', '.status.v4ip'),
		column('InternalIp', '.spec.internalIp'),
		column('V6ip', '.status.v6ip'),
		readyColumn,
		column('NatGwDp', '.status.natGwDp'),
	],
};

export const iptablesDnatRuleResource = kubeOvnResource('iptables-dnat-rules', 'IptablesDnatRule');

const forwarding = {
	externalPort: string('Outer port.'),
	protocol: string('`tcp` or `udp`.'),
	internalIp: string('Inner address.'),
	internalPort: string('Inner port.'),
};
export const iptablesDnatRuleSpec = object('A port of an outer address for one of an inner address.', {
	eip,
	...forwarding,
	type: oneOf(['exclusive', 'share'], 'Whether several rules may share the outer port.'),
});
export const iptablesDnatRuleStatus = object('What the controller found and made.', { ...ruleStatus, ...forwarding });
export type IptablesDnatRule = ApiObject<TypeOf<typeof iptablesDnatRuleSpec>, TypeOf<typeof iptablesDnatRuleStatus>>;

export const iptablesDnatRuleKind: KindDefinition = {
	resource: iptablesDnatRuleResource,
	singular: 'iptables-dnat-rule',
	shortNames: ['dnat'],
	description: 'A port of an outer address that leads to a port of an inner one.',
	spec: iptablesDnatRuleSpec,
	status: iptablesDnatRuleStatus,
	statusSubresource: true,
	columns: [
		column('Eip', '.spec.eip'),
		column('Protocol', '.spec.protocol'),
		column('V4ip', '.status.v4ip'),
		column('V6ip', '.status.v6ip'),
		column('InternalIp', '.spec.internalIp'),
		column('ExternalPort', '.spec.externalPort'),
		column('InternalPort', '.spec.internalPort'),
		column('NatGwDp', '.status.natGwDp'),
		readyColumn,
	],
};

export const iptablesSnatRuleResource = kubeOvnResource('iptables-snat-rules', 'IptablesSnatRule');

export const iptablesSnatRuleSpec = object('An outer address that a block of inner ones leaves with.', {
	eip,
	internalCIDR: string('Inner block.'),
});
export const iptablesSnatRuleStatus = object('What the controller found and made.', {
	...ruleStatus,
	internalCIDR: string('Inner block in force.'),
});
export type IptablesSnatRule = ApiObject<TypeOf<typeof iptablesSnatRuleSpec>, TypeOf<typeof iptablesSnatRuleStatus>>;

export const iptablesSnatRuleKind: KindDefinition = {
	resource: iptablesSnatRuleResource,
	singular: 'iptables-snat-rule',
	shortNames: ['snat'],
	description: 'An outer address that inner addresses share on the way out.',
	spec: iptablesSnatRuleSpec,
	status: iptablesSnatRuleStatus,
	statusSubresource: true,
	columns: [
		column('EIP', '.spec.eip'),
		column('V4ip', '.status.v4ip'),
		column('V6ip', '.status.v6ip'),
		column('InternalCIDR', '.spec.internalCIDR'),
		column('NatGwDp', '.status.natGwDp'),
		readyColumn,
	],
};
