import { conditions, labelSelector, strings } from './common.ts';
import { ageColumn, column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, integer, object, oneOf, string, type TypeOf } from './schema.ts';

export const vpcResource = kubeOvnResource('vpcs', 'Vpc');

const staticRoute = object('One route.', {
	policy: oneOf(['policyDst', 'policySrc'], 'Whether `cidr` is compared with the destination or the source.'),
	cidr: string('Block that the route is for.'),
	nextHopIP: string('Address of the next hop.'),
	ecmpMode: string('Set to let routes with one `cidr` share the traffic.'),
	bfdId: string('BFD session that has to be up.'),
	routeTable: string('Route table; empty is the main one.'),
});

const policyRoute = object('One policy.', {
	priority: integer('Higher wins.', { minimum: 0, maximum: 32767 }),
	match: string('OVN match expression.'),
	action: oneOf(['allow', 'drop', 'reroute'], 'What happens to packets that match.'),
	nextHopIP: string('Next hop of `reroute`.'),
});

const peering = object('One peering.', {
	remoteVpc: string('The other VPC.'),
	localConnectIP: string('Address with prefix of this side of the link.'),
});

export const vpcSpec = object('A tenant network: a logical router and the subnets at it.', {
	defaultSubnet: string('Subnet of pods in `namespaces` that no subnet names.'),
	namespaces: strings('Namespaces whose pods may use the VPC.'),
	staticRoutes: arrayOf(staticRoute, 'Static routes of the router.'),
	policyRoutes: arrayOf(policyRoute, 'Policies of the router; they go before routes.'),
	vpcPeerings: arrayOf(peering, 'Direct links to other VPCs.'),
	enableExternal: boolean('Connects the router to the default external subnet.'),
	extraExternalSubnets: strings('More external subnets to connect to.'),
	enableBfd: boolean('Watches external next hops by BFD.'),
	bfdPort: object('A router port of its own for BFD.', {
		enabled: boolean('Whether there is such a port.', { default: false }),
		ip: string('Its addresses, `v4`, `v6` or `v4,v6`.'),
		nodeSelector: labelSelector('Nodes that may host it.'),
	}),
});
export type VpcSpec = TypeOf<typeof vpcSpec>;

export const vpcStatus = object('What the controller found and made.', {
	conditions,
	standby: boolean('Whether the VPC is in use.'),
	default: boolean('Whether this is the default VPC.'),
	defaultLogicalSwitch: string('Subnet that pods get when nothing names one.'),
	router: string('Logical router in OVN.'),
	subnets: strings('Subnets of the VPC.'),
	vpcPeerings: strings('VPCs it is linked to.'),
	enableExternal: boolean('Whether it is connected to the default external subnet.'),
	extraExternalSubnets: strings('Further external subnets it is connected to.'),
	enableBfd: boolean('Whether BFD is on.'),
	tcpLoadBalancer: string('OVN load balancer of TCP services.'),
	udpLoadBalancer: string('OVN load balancer of UDP services.'),
	sctpLoadBalancer: string('OVN load balancer of SCTP services.'),
	tcpSessionLoadBalancer: string('The same, with session affinity.'),
	udpSessionLoadBalancer: string('The same, with session affinity.'),
	sctpSessionLoadBalancer: string('The same, with session affinity.'),
	bfdPort: object('The BFD port as made.', {
		name: string('Name of the router port.'),
		ip: string('Its addresses.'),
		nodes: strings('Nodes that host it.'),
	}),
});
export type VpcStatus = TypeOf<typeof vpcStatus>;

export type Vpc = ApiObject<VpcSpec, VpcStatus>;

export const vpcKind: KindDefinition<VpcSpec, VpcStatus> = {
	resource: vpcResource,
	singular: 'vpc',
	shortNames: ['vpc'],
	description: 'A tenant network. VPCs do not reach each other, and their subnets may have the same addresses.',
	spec: vpcSpec,
	status: vpcStatus,
	statusSubresource: true,
	columns: [
		column('EnableExternal', '.status.enableExternal', 'boolean'),
		column('EnableBfd', '.status.enableBfd', 'boolean'),
		column('Standby', '.status.standby', 'boolean'),
		column('Subnets', '.status.subnets'),
		column('ExtraExternalSubnets', '.status.extraExternalSubnets'),
		column('Namespaces', '.spec.namespaces'),
		column('DefaultSubnet', '.status.defaultLogicalSwitch'),
		ageColumn,
	],
};
