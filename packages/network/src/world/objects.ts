import type { Family, IpRange } from '@tapestry/base';
import type { PortTraffic } from '../api/port-traffic.ts';
import type { VipType } from '../api/read-vip.ts';
import type { SubnetGateway } from '../api/subnet-gateway.ts';
import type { Peering, PolicyRoute, StaticRoute } from '../api/vpc-routes.ts';
import type { NamespaceFacts, PolicyFacts, PortNameFacts, SecurityGroupFacts, SelectorFacts, SubnetAclFacts } from './policies.ts';

// What the compiler reads. These are facts drawn from Kubernetes objects that were found valid: whoever fills the world leaves out an object
// that must not be compiled (bad CIDR, overlap, unknown VPC, lost lease) and drops the fields that do not matter here, so that a changed status
// or annotation recompiles nothing.

export interface VpcFacts {
	readonly name: string;
	/** The one VPC that nodes, Services and the outside are reached from. */
	readonly isDefault: boolean;
	readonly staticRoutes: readonly StaticRoute[];
	readonly policyRoutes: readonly PolicyRoute[];
	/** Each link is made when the other VPC has its side too. */
	readonly peerings: readonly Peering[];
}

export interface SubnetFacts {
	readonly name: string;
	readonly vpc: string;
	/** One for each family, IPv4 first. */
	readonly blocks: readonly BlockFacts[];
	/** The network between the routers and the nodes. */
	readonly isJoin: boolean;
	/** Undefined where nothing leaves through nodes. */
	readonly gateway: SubnetGateway | undefined;
	/** Route table of what its ports send; empty is the main one. */
	readonly routeTable: string;
	/** MTU of the ports, in bytes. */
	readonly mtu: number;
	readonly servesServices: boolean;
	/** Whose DHCP requests are answered. */
	readonly dhcpFor: 'nobody' | 'vms' | 'all';
	/** Whether clients that are told no other DNS server are told the cluster's. */
	readonly tellsClusterDns: boolean;
	/** Whether the router advertises itself, given an IPv6 block. */
	readonly advertises: boolean;
	/** DHCP options by OVN's names that replace or extend the default ones. */
	readonly dhcpV4Options: Readonly<Record<string, string>>;
	readonly dhcpV6Options: Readonly<Record<string, string>>;
	/** Router advertisement options (Logical_Router_Port.ipv6_ra_configs) that replace or extend the default ones. */
	readonly raOptions: Readonly<Record<string, string>>;
	/** By priority, the first to be looked at first. */
	readonly acls: readonly SubnetAclFacts[];
	/** Whether traffic within the subnet passes before `acls`. */
	readonly allowsEastWest: boolean;
	/** Blocks that the ports of a private subnet talk with beside their own and the nodes; undefined for a subnet that is not private. */
	readonly privateTo: readonly string[] | undefined;
}

export interface BlockFacts {
	readonly family: Family;
	/** Network address and prefix. */
	readonly cidr: string;
	readonly prefix: number;
	/** The router's address. */
	readonly gateway: string;
}

/** A lease that holds its addresses: of several objects for one address only the one that won. */
export interface LeaseFacts {
	/** Of the IP object and of the logical switch port. */
	readonly name: string;
	readonly subnet: string;
	/** Empty until it is known where the owner runs. */
	readonly node: string;
	readonly v4: string | undefined;
	readonly v6: string | undefined;
	/** Lower case. */
	readonly mac: string;
	readonly ownerUid: string;
	readonly ownerKind: 'Pod' | 'VirtualMachine' | 'VirtualMachineInstance' | 'Node';
	/** Of the owner; empty for nodes. */
	readonly namespace: string;
	/** What the owner is selected by: a machine by the labels of its instance and of the launcher at work. */
	readonly labels: Readonly<Record<string, string>>;
	/** Whether the port may send from addresses other than its own. */
	readonly isOpen: boolean;
	/** Named ports of the owner's containers. */
	readonly ports: readonly NamedPortFacts[];
	/** Names of the Vips that it asks to use, sorted. */
	readonly vips: readonly string[];
	/** Names of its security groups, sorted. */
	readonly securityGroups: readonly string[];
	/** What it may send and receive; nothing holds back what is not limited. */
	readonly limits: Pick<PortTraffic, 'ingress' | 'egress'>;
}

export interface NamedPortFacts {
	readonly name: string;
	readonly protocol: 'tcp' | 'udp' | 'sctp';
	readonly port: number;
}

export interface IpPoolFacts {
	readonly name: string;
	/** Merged. */
	readonly ranges: readonly IpRange[];
	readonly hasAddressSet: boolean;
}

/** An address that is not bound to one port. */
export interface VipFacts {
	/** Of the Vip. */
	readonly name: string;
	/** Of the IP object that keeps its addresses. */
	readonly lease: string;
	readonly subnet: string;
	/** Whose pods may use it; empty for all. */
	readonly namespace: string;
	readonly selector: Readonly<Record<string, string>>;
	readonly type: VipType;
	readonly v4: string | undefined;
	readonly v6: string | undefined;
	/** Lower case. */
	readonly mac: string;
}

export interface NodeFacts {
	readonly name: string;
	/** The node's own addresses, of both families. */
	readonly addresses: readonly string[];
	readonly labels: Readonly<Record<string, string>>;
	readonly isReady: boolean;
}

export interface ServiceFacts {
	readonly namespace: string;
	readonly name: string;
	/** The VPC that it was given; without one it is where its endpoints are. */
	readonly vpc: string | undefined;
	/** Empty for a headless service. */
	readonly clusterIps: readonly string[];
	/** Further addresses, from outside the cluster. */
	readonly externalIps: readonly string[];
	readonly ports: readonly ServicePortFacts[];
	/** Whether connections of one client go to one endpoint. */
	readonly isSticky: boolean;
	readonly servesUnready: boolean;
	/** Which endpoints clients in the cluster are led to: all, or those of their own node. */
	readonly internal: 'Cluster' | 'Local';
	/** Which endpoints clients from outside are led to: all, or those of the node that they came to, which then keeps their address. */
	readonly external: 'Cluster' | 'Local';
}

export interface ServicePortFacts {
	readonly name: string;
	readonly protocol: 'tcp' | 'udp' | 'sctp';
	readonly port: number;
	/** The port at each node's own addresses. */
	readonly nodePort: number | undefined;
}

export interface EndpointFacts {
	readonly address: string;
	readonly isReady: boolean;
	/** Whether it answers, though it may be ending. */
	readonly isServing: boolean;
	/** Empty when it is not known. */
	readonly node: string;
}

export interface EndpointSliceFacts {
	/** `namespace/name` of the service. */
	readonly service: string;
	readonly family: Family;
	readonly endpoints: readonly EndpointFacts[];
	/** By name of the service's port. */
	readonly ports: Readonly<Record<string, number>>;
}

/** A service address inside a VPC. */
export interface SwitchLbRuleFacts {
	readonly name: string;
	readonly vips: readonly string[];
	/** Of the pods behind it. */
	readonly namespace: string;
	readonly ports: readonly (ServicePortFacts & { readonly target: number })[];
	/** In place of the endpoints of its Service, unless empty. */
	readonly endpoints: readonly string[];
	readonly isSticky: boolean;
	/** Those that its addresses lie in. */
	readonly subnets: readonly string[];
	/** Where OVN asks from whether IPv4 endpoints are alive; undefined when it does not. */
	readonly healthSource: string | undefined;
}

/** All kinds of the world. Keys are `name` or `namespace/name`. */
export interface Objects {
	readonly Vpc: VpcFacts;
	readonly Subnet: SubnetFacts;
	readonly IP: LeaseFacts;
	readonly IPPool: IpPoolFacts;
	/** By the name of the lease. */
	readonly Vip: VipFacts;
	readonly Node: NodeFacts;
	readonly Service: ServiceFacts;
	readonly EndpointSlice: EndpointSliceFacts;
	readonly SwitchLBRule: SwitchLbRuleFacts;
	readonly Namespace: NamespaceFacts;
	readonly NetworkPolicy: PolicyFacts;
	readonly AdminNetworkPolicy: PolicyFacts;
	readonly BaselineAdminNetworkPolicy: PolicyFacts;
	readonly SecurityGroup: SecurityGroupFacts;
	/** By `selectorKey`: the selectors of all policies. `PolicySet` keeps them. */
	readonly Selector: SelectorFacts;
	/** By `protocol/name`: the port names that policies speak of. `PolicySet` keeps them. */
	readonly PortName: PortNameFacts;
}
export type Kind = keyof Objects;
