import { conditions, labelSelector, strings } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, integer, number, object, oneOf, string, type TypeOf } from './schema.ts';

export const subnetResource = kubeOvnResource('subnets', 'Subnet');

const acl = object('One rule.', {
	direction: oneOf(['from-lport', 'to-lport'], 'Seen from the pod: sent or received.'),
	priority: integer('Higher wins.', { minimum: 0, maximum: 32767 }),
	match: string('OVN match expression.'),
	action: oneOf(['allow-related', 'allow-stateless', 'allow', 'drop', 'reject'], 'What happens to packets that match.'),
});

const route = object(
	'One route.',
	{ destination: string('Block, such as `10.1.0.0/16`.'), gateway: string('Address of a router in the subnet.') },
	['destination', 'gateway'],
);

const natRuleFields = {
	match: object('Which packets.', {
		srcIPs: string('Sources: addresses and blocks with `,` between them.'),
		dstIPs: string('Destinations: addresses and blocks with `,` between them.'),
	}),
	action: oneOf(['nat', 'forward'], "Whether the source address is replaced by the node's."),
};

export const subnetSpec = object('An address block and the switch for it.', {
	default: boolean('Whether pods get this subnet when nothing names one.'),
	vpc: string('VPC it belongs to (default `ovn-cluster`). Cannot change.'),
	protocol: oneOf(['IPv4', 'IPv6', 'Dual'], 'Families of `cidrBlock`, from which it follows when empty.'),
	cidrBlock: string('`v4`, `v6` or `v4,v6` block.'),
	gateway: string("Router's address, one for each block (default: the first address of the block)."),
	excludeIps: strings('Addresses or ranges `a..b` that are given only to those who ask for them by address.'),
	namespaces: strings('Namespaces whose pods get this subnet.'),
	namespaceSelectors: arrayOf(labelSelector('One selector.'), 'Namespaces, by label, whose pods get this subnet.'),
	provider: string('`ovn`, or `<name>.<namespace>[.ovn]` of the NetworkAttachmentDefinition it serves (default `ovn`).'),
	mtu: integer("MTU of the pods' interfaces, in bytes.", { minimum: 68, maximum: 65535 }),
	gatewayType: string('`distributed`: pods leave through their own node; `centralized`: through `gatewayNode` (default `distributed`).'),
	gatewayNode: string('Nodes of a centralized gateway, with `,` between them.'),
	gatewayNodeSelectors: arrayOf(labelSelector('One selector.'), 'Nodes of a centralized gateway, by label.'),
	natOutgoing: boolean("Whether pods leave the cluster with their node's address."),
	natOutgoingPolicyRules: arrayOf(object('One rule.', natRuleFields), 'Exceptions to `natOutgoing`, first match wins.'),
	externalEgressGateway: string('Next hops outside the cluster, in place of `natOutgoing`.'),
	policyRoutingPriority: integer('Priority of the policy route to `externalEgressGateway`.', { minimum: 1, maximum: 32765 }),
	policyRoutingTableID: integer('Table of the policy route to `externalEgressGateway`.', { minimum: 1, maximum: 2147483647 }),
	private: boolean('Whether other subnets are kept out.'),
	allowSubnets: strings('Blocks that a private subnet lets in.'),
	acls: arrayOf(acl, 'Rules for every port of the subnet.'),
	allowEWTraffic: boolean('Whether traffic between pods of the subnet passes before `acls`.'),
	vlan: string('Vlan object of an underlay subnet. Cannot change.'),
	vips: strings('Addresses that may move between pods.'),
	logicalGateway: boolean('Whether an underlay subnet is routed by OVN.'),
	disableGatewayCheck: boolean('Whether a pod starts although its gateway does not answer.'),
	disableInterConnection: boolean('Whether the subnet is left out of interconnection.'),
	enableDHCP: boolean('Whom OVN answers DHCP: VMs (when not set), pods too (`true`), nobody (`false`).'),
	dhcpV4Options: string("DHCPv4 options by OVN's names, `name=value` with `,` between them; they win over `dhcp`."),
	dhcpV6Options: string("DHCPv6 options by OVN's names, `name=value` with `,` between them; they win over `dhcp`."),
	dhcp: object('What guests are told beside addresses, gateway and MTU. Not a field of Kube-OVN.', {
		dns: strings("DNS servers of both families (default: the cluster's, where Services are reachable; an empty list for none)."),
		domain: string('Domain in which guests look up short names.'),
		ntp: strings('Time servers; IPv4 only.'),
		routes: arrayOf(route, 'Routes beside the default route; IPv4 only.'),
		leaseSeconds: integer('Time after which a DHCPv4 client has to have renewed its lease (default 3600).', {
			minimum: 60,
			maximum: 4294967295,
		}),
	}),
	enableIPv6RA: boolean('Whether the router sends router advertisements (default `true` with an IPv6 block).'),
	ipv6RAConfigs: string("Options of the advertisements by OVN's names, `name=value` with `,` between them; they win over `dhcp`."),
	u2oInterconnection: boolean("Whether an underlay subnet is connected to the VPC's overlay subnets."),
	u2oInterconnectionIP: string("Router's address in the underlay subnet for that."),
	u2oFeatures: object('Details of that connection.', {
		overlayOnlyRouting: boolean('Whether only overlay blocks are routed through it.'),
	}),
	enableLb: boolean('Whether Services are reachable from the subnet.'),
	enableEcmp: boolean('Whether nodes of a centralized gateway share the traffic.'),
	enableMulticastSnoop: boolean('Whether multicast goes only to those who asked for it.'),
	enableExternalLBAddress: boolean('Whether LoadBalancer addresses may come from the subnet.'),
	routeTable: string("Route table of the subnet's traffic."),
	nodeNetwork: string("Node network that carries the subnet's tunnels."),
});
export type SubnetSpec = TypeOf<typeof subnetSpec>;

export const subnetStatus = object('What the controller found and made.', {
	conditions,
	v4availableIPs: number('IPv4 addresses that are free.'),
	v4availableIPrange: string('The free ones, as ranges `a-b` with `,` between them.'),
	v4usingIPs: number('IPv4 addresses that are in use.'),
	v4usingIPrange: string('The ones in use.'),
	v6availableIPs: number('IPv6 addresses that are free.'),
	v6availableIPrange: string('The free ones.'),
	v6usingIPs: number('IPv6 addresses that are in use.'),
	v6usingIPrange: string('The ones in use.'),
	cidrBlock: string('Blocks in use; other than those of the spec while addresses outside of these are in use. Not a field of Kube-OVN.'),
	gateway: string('Gateways in use. Not a field of Kube-OVN.'),
	activateGateway: string('Nodes that are the centralized gateway now, with `,` between them.'),
	dhcpV4OptionsUUID: string('Row of the DHCPv4 options in OVN.'),
	dhcpV6OptionsUUID: string('Row of the DHCPv6 options in OVN.'),
	u2oInterconnectionIP: string("Router's address in an underlay subnet."),
	u2oInterconnectionMAC: string("Router's MAC address in an underlay subnet."),
	u2oInterconnectionVPC: string('VPC that an underlay subnet is connected to.'),
	natOutgoingPolicyRules: arrayOf(
		object('One rule.', { ruleID: string('Name of the rule.'), ...natRuleFields }),
		'Exceptions to `natOutgoing` that are in force.',
	),
	mcastQuerierIP: string('Source of multicast queries.'),
	mcastQuerierMAC: string('Source of multicast queries.'),
});
export type SubnetStatus = TypeOf<typeof subnetStatus>;

export type Subnet = ApiObject<SubnetSpec, SubnetStatus>;

export const subnetKind: KindDefinition<SubnetSpec, SubnetStatus> = {
	resource: subnetResource,
	singular: 'subnet',
	shortNames: ['subnet'],
	description: 'An address block of a VPC, and the logical switch for it.',
	spec: subnetSpec,
	status: subnetStatus,
	statusSubresource: true,
	// OVN expressions name a subnet's address sets and port groups after it, and such names do not begin with a digit.
	name: { type: 'string', pattern: '^[^0-9]' },
	columns: [
		column('Provider', '.spec.provider'),
		column('Vpc', '.spec.vpc'),
		column('Vlan', '.spec.vlan'),
		column('Protocol', '.spec.protocol'),
		column('CIDR', '.spec.cidrBlock'),
		column('Private', '.spec.private', 'boolean'),
		column('NAT', '.spec.natOutgoing', 'boolean'),
		column('Default', '.spec.default', 'boolean'),
		column('GatewayType', '.spec.gatewayType'),
		column('V4Used', '.status.v4usingIPs', 'number'),
		column('V4Available', '.status.v4availableIPs', 'number'),
		column('V6Used', '.status.v6usingIPs', 'number'),
		column('V6Available', '.status.v6availableIPs', 'number'),
		column('ExcludeIPs', '.spec.excludeIps'),
	],
};
