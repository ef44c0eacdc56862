import { cidrContains, type Ip } from '@tapestry/base';
import { sameIp } from './addresses.ts';
import type { LogicalNetwork, RouterPort, SwitchPort } from './logical-network.ts';

/** Who answers for an address on a switch. */
export interface Neighbour {
	readonly port: SwitchPort;
	readonly mac: bigint;
}

/** The port that a packet for the address goes to on the switch; `undefined` when nobody answers. */
export function neighbourOf(network: LogicalNetwork, switchId: string, ip: Ip): Neighbour | undefined {
	const holder = network.holders(ip).find((port) => port.switch === switchId);
	const address = holder?.addresses.find(({ ips }) => ips.some((one) => sameIp(one, ip)));
	if (holder && address) return { port: holder, mac: address.mac };
	const uplinks = network.switch(switchId)?.uplinks ?? [];
	for (const port of uplinks) {
		const beyond = routerPortAt(network, port);
		if (beyond?.networks.some((one) => sameIp(one.ip, ip))) return { port, mac: beyond.mac };
	}
	const virtual = uplinks.find((port) => port.virtual && sameIp(port.virtual.ip, ip));
	// Who has the address now is known to ovn-controller only; to the rules one parent is like another.
	const parent = virtual?.virtual?.parents.flatMap((name) => network.port(name) ?? [])[0];
	if (parent) return { port: parent, mac: parent.addresses[0]?.mac ?? 0n };
	const open = uplinks.find((port) => port.takesUnknown);
	return open && { port: open, mac: 0n };
}

/** The router that a workload of the switch sends to what is not on its own link. */
export function gatewayOf(network: LogicalNetwork, switchId: string, ip: Ip): Neighbour | undefined {
	for (const port of network.switch(switchId)?.uplinks ?? []) {
		const beyond = routerPortAt(network, port);
		if (beyond?.networks.some(({ block }) => block.family === ip.family)) return { port, mac: beyond.mac };
	}
	return undefined;
}

/** Whether a workload of the switch takes the address for its link's own: as with a host's prefix, which is the router's. */
export function isOnLink(network: LogicalNetwork, switchId: string, ip: Ip): boolean {
	const blocks = (network.switch(switchId)?.uplinks ?? []).flatMap((port) => routerPortAt(network, port)?.networks ?? []);
	return blocks.every(({ block }) => block.family !== ip.family) || blocks.some(({ block }) => cidrContains(block, ip));
}

/** Name of the router that the port's switch is at; a subnet has one. */
export function vpcOf(network: LogicalNetwork, port: SwitchPort): string | undefined {
	for (const uplink of network.switch(port.switch)?.uplinks ?? []) {
		const beyond = routerPortAt(network, uplink);
		const router = beyond && network.router(beyond.router);
		if (router) return router.name;
	}
	return undefined;
}

function routerPortAt(network: LogicalNetwork, port: SwitchPort): RouterPort | undefined {
	return port.routerPort === undefined ? undefined : network.routerPort(port.routerPort);
}
