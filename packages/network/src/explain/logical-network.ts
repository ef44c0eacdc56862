import type { Cidr, Ip } from '@tapestry/base';
import type { Origin } from './snapshot.ts';

// The parts of the Northbound schema (ovn-nb(5)) that decide where a packet goes, with references followed.

/** A MAC address with the IP addresses that belong to it; none means any. */
export interface PortAddress {
	readonly mac: bigint;
	readonly blocks: readonly Cidr[];
	readonly ips: readonly Ip[];
}

export interface SwitchPort {
	readonly name: string;
	/** Id of its switch, for `LogicalNetwork.switch`. */
	readonly switch: string;
	/** `''` for pods, machines and nodes, `router`, `localnet` and others. */
	readonly type: string;
	readonly addresses: readonly PortAddress[];
	/** Whether packets for unheard addresses are sent here. */
	readonly takesUnknown: boolean;
	/** Empty where every address is let through. */
	readonly security: readonly PortAddress[];
	/** Name of the router's port at the other end. */
	readonly routerPort: string | undefined;
	/** An address that is at whichever of the parents answers for it. */
	readonly virtual: { readonly ip: Ip; readonly parents: readonly string[] } | undefined;
	/** The node that may claim the port; the first when a machine moves. */
	readonly node: string;
	/** What ovn-northd says: whether the port is plugged in somewhere. Unknown in a compiled model. */
	readonly isUp: boolean | undefined;
	readonly origin: Origin | undefined;
}

export interface Rule {
	readonly priority: number;
	readonly match: string;
	readonly action: string;
	readonly origin: Origin | undefined;
	/** Further rules that had to agree, one a line. */
	readonly also: readonly string[];
}

export interface Acl extends Rule {
	readonly direction: 'from-lport' | 'to-lport';
	/** Whether it sees the endpoint's address in place of a Service's. */
	readonly isAfterBalancing: boolean;
}

export interface Balancer {
	readonly name: string;
	readonly protocol: string;
	readonly vips: readonly Vip[];
	readonly origin: Origin | undefined;
}
export interface Vip {
	readonly ip: Ip;
	/** Absent where it is for every port. */
	readonly port: number | undefined;
	readonly backends: readonly { readonly ip: Ip; readonly port: number | undefined }[];
	/** What clients of a VIP without a backend get. */
	readonly isRefusing: boolean;
}

export interface LogicalSwitch {
	readonly name: string;
	/** The ports that lead beyond the switch: to routers, to a physical network, to whoever takes packets for unheard addresses. */
	readonly uplinks: readonly SwitchPort[];
	/** Those of the switch and of the port groups that it has a port of, the highest priority first. */
	readonly acls: readonly Acl[];
	readonly balancers: readonly Balancer[];
	readonly origin: Origin | undefined;
}

export interface RouterPort {
	readonly name: string;
	/** Id of its router, for `LogicalNetwork.router`. */
	readonly router: string;
	readonly mac: bigint;
	readonly networks: readonly { readonly ip: Ip; readonly block: Cidr }[];
	/** The port of another router that it is joined to. */
	readonly peer: string | undefined;
	/** The table that routes of packets from here are looked up in. */
	readonly table: string;
	/** Name of the switch's port at the other end. */
	readonly switchPort: string | undefined;
	readonly origin: Origin | undefined;
}

export interface Route {
	readonly block: Cidr;
	readonly bySource: boolean;
	readonly table: string;
	readonly nextHop: string;
	readonly outputPort: string | undefined;
	readonly origin: Origin | undefined;
}

export interface RouterPolicy extends Rule {
	readonly nextHops: readonly string[];
}

export interface LogicalRouter {
	readonly name: string;
	readonly ports: readonly RouterPort[];
	readonly routes: readonly Route[];
	/** The highest priority first. */
	readonly policies: readonly RouterPolicy[];
	readonly origin: Origin | undefined;
}

/** The logical network, by the questions that a packet's way asks. */
export interface LogicalNetwork {
	switch(id: string): LogicalSwitch | undefined;
	router(id: string): LogicalRouter | undefined;
	port(name: string): SwitchPort | undefined;
	routerPort(name: string): RouterPort | undefined;
	/** The ports that hold the address, in whatever VPC. */
	holders(ip: Ip): readonly SwitchPort[];
	addressSet(name: string): readonly string[] | undefined;
	isInGroup(port: string, group: string): boolean | undefined;
}
