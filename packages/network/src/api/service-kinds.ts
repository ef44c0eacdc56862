import { conditions, strings } from './common.ts';
import { ageColumn, column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, integer, object, oneOf, string, type TypeOf } from './schema.ts';

export const switchLbRuleResource = kubeOvnResource('switch-lb-rules', 'SwitchLBRule');

const port = (description: string) => integer(description, { format: 'int32', minimum: 1, maximum: 65535 });

export const switchLbRuleSpec = object('A service address inside a VPC.', {
	vip: string('Address of the service.'),
	namespace: string('Namespace of the pods behind it.'),
	selector: strings('Labels `key: value` of the pods behind it.'),
	endpoints: strings('Addresses behind it, in place of `selector`.'),
	sessionAffinity: string('`ClientIP`: a client stays with one pod.'),
	ports: arrayOf(
		object('One port.', {
			name: string('Name of the port.'),
			port: port('Port of the service.'),
			targetPort: port('Port of the pods.'),
			protocol: string('`TCP`, `UDP` or `SCTP` (default `TCP`).'),
		}),
		'Ports of the service.',
	),
});
export const switchLbRuleStatus = object('What the controller found and made.', {
	conditions,
	ports: string('Ports in force.'),
	service: string('Service that stands for the rule.'),
});
export type SwitchLbRule = ApiObject<TypeOf<typeof switchLbRuleSpec>, TypeOf<typeof switchLbRuleStatus>>;

export const switchLbRuleKind: KindDefinition = {
	resource: switchLbRuleResource,
	singular: 'switch-lb-rule',
	shortNames: ['slr'],
	description: 'A load balancer inside a VPC.',
	spec: switchLbRuleSpec,
	status: switchLbRuleStatus,
	statusSubresource: true,
	columns: [column('vip', '.spec.vip'), column('port(s)', '.status.ports'), column('service', '.status.service'), ageColumn],
};

export const vpcDnsResource = kubeOvnResource('vpc-dnses', 'VpcDns');

export const vpcDnsSpec = object('A name server inside a VPC.', {
	vpc: string('VPC. Cannot change.'),
	subnet: string('Subnet of the server. Cannot change.'),
	replicas: integer('Pods.', { format: 'int32', minimum: 1, maximum: 3 }),
	corefile: string("ConfigMap of CoreDNS' configuration.", { default: 'vpc-dns-corefile' }),
});
export const vpcDnsStatus = object('What the controller found and made.', {
	conditions,
	active: boolean('Whether this server answers for the VPC.'),
});
export type VpcDns = ApiObject<TypeOf<typeof vpcDnsSpec>, TypeOf<typeof vpcDnsStatus>>;

export const vpcDnsKind: KindDefinition = {
	resource: vpcDnsResource,
	singular: 'vpc-dns',
	shortNames: ['vpc-dns'],
	description: 'Name resolution inside a VPC.',
	spec: vpcDnsSpec,
	status: vpcDnsStatus,
	statusSubresource: true,
	columns: [
		column('Active', '.status.active', 'boolean'),
		column('Vpc', '.spec.vpc'),
		column('Subnet', '.spec.subnet'),
		column('Corefile', '.spec.corefile'),
	],
};

export const qosPolicyResource = kubeOvnResource('qos-policies', 'QoSPolicy');

const limits = {
	shared: boolean('Whether several objects share one limit. Cannot change.'),
	bindingType: oneOf(['', 'EIP', 'NATGW'], 'What the policy is for. Cannot change.'),
	bandwidthLimitRules: arrayOf(
		object(
			'One limit.',
			{
				name: string('Name of the limit.'),
				interface: string('Interface of the gateway.'),
				rateMax: string('Most Mbit/s.'),
				burstMax: string('Most MB at once.'),
				priority: integer('Lower goes first.'),
				direction: oneOf(['', 'ingress', 'egress'], 'Direction.'),
				matchType: oneOf(['', 'ip'], 'How `matchValue` is read.'),
				matchValue: string('`src <block>` or `dst <block>`.'),
			},
			['name'],
		),
		'Limits.',
		{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
	),
};
export const qosPolicySpec = object('Limits for outer addresses or gateways.', limits);
export const qosPolicyStatus = object('What the controller found and made.', { conditions, ...limits });
export type QosPolicy = ApiObject<TypeOf<typeof qosPolicySpec>, TypeOf<typeof qosPolicyStatus>>;

export const qosPolicyKind: KindDefinition = {
	resource: qosPolicyResource,
	singular: 'qos-policy',
	shortNames: ['qos'],
	description: 'Bandwidth limits of outer addresses and gateways.',
	spec: qosPolicySpec,
	status: qosPolicyStatus,
	statusSubresource: true,
	columns: [column('Shared', '.spec.shared'), column('BindingType', '.spec.bindingType')],
};
