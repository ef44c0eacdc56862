import { type Cidr, type Family, formatCidr, formatIp, type Ip, ipFromBytes, ipToBytes, isCoded } from '@tapestry/base';
import { concat, decodeAttributes, encodeAttributes, u32, u32Of } from './netlink/attributes.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE } from './netlink/message.ts';
import type { NetlinkSocket, Request } from './netlink/socket.ts';
import { AF_INET, AF_INET6 } from './sys.ts';

// linux/rtnetlink.h
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTM_F_CLONED = 0x200;
const rtmsgLength = 12;

/** A route of the main table. `destination` undefined is the default route of `family`; without `gateway` the destination is on link. */
export interface Route {
	readonly family: Family;
	readonly destination?: Cidr;
	readonly gateway?: Ip;
	/** The interface's index. */
	readonly link: number;
	/** Source address of this machine's own packets. */
	readonly source?: Ip;
}

/** Adds a route or replaces the one to the same destination. */
export function replaceRoute(socket: NetlinkSocket, route: Route): void {
	socket.request(routeRequest(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, 'add route', route));
}

/** Deletes a route; does nothing when it is not there. */
export function removeRoute(socket: NetlinkSocket, route: Route): void {
	try {
		socket.request(routeRequest(RTM_DELROUTE, 0, 'remove route', route));
	} catch (error) {
		if (!isCoded(error, 'LINUX_ESRCH')) throw error;
	}
}

/** The unicast routes of the main table that leave by one interface. */
export function listRoutes(socket: NetlinkSocket): readonly Route[] {
	const answers = socket.dump({ type: RTM_GETROUTE, payload: new Uint8Array(rtmsgLength), operation: 'list routes' });
	return answers.flatMap(({ type, payload }) => (type === RTM_NEWROUTE ? decodeRoute(payload) : []));
}

function decodeRoute(payload: Uint8Array): Route[] {
	const [family, prefix = 0, , , table, , , kind] = payload;
	const cloned = (u32Of(payload.subarray(8, 12)) & RTM_F_CLONED) !== 0;
	const attributes = decodeAttributes(payload.subarray(rtmsgLength));
	const link = attributes.get(RTA_OIF);
	if (table !== RT_TABLE_MAIN || kind !== RTN_UNICAST || cloned || !link) return [];
	const ip = (attribute: number): Ip | undefined => ipFromBytes(attributes.get(attribute) ?? new Uint8Array(0));
	const network = ip(RTA_DST);
	const gateway = ip(RTA_GATEWAY);
	const source = ip(RTA_PREFSRC);
	return [
		{
			family: family === AF_INET ? 4 : 6,
			link: u32Of(link),
			...(network ? { destination: { family: network.family, network: network.value, prefix } } : {}),
			...(gateway ? { gateway } : {}),
			...(source ? { source } : {}),
		},
	];
}

function routeRequest(type: number, flags: number, operation: string, route: Route): Request {
	const { family, destination, gateway, source } = route;
	const header = new Uint8Array(rtmsgLength);
	header[0] = family === 4 ? AF_INET : AF_INET6;
	header[1] = destination?.prefix ?? 0;
	header[4] = RT_TABLE_MAIN;
	header[5] = RTPROT_STATIC;
	header[6] = gateway || family === 6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	header[7] = RTN_UNICAST;
	const attributes = [
		...(destination ? [{ type: RTA_DST, value: ipToBytes({ family, value: destination.network }) }] : []),
		...(gateway ? [{ type: RTA_GATEWAY, value: ipToBytes(gateway) }] : []),
		...(source ? [{ type: RTA_PREFSRC, value: ipToBytes(source) }] : []),
		{ type: RTA_OIF, value: u32(route.link) },
	];
	const to = destination ? formatCidr(destination) : `default (IPv${family})`;
	return {
		type,
		flags: flags | NLM_F_ACK,
		payload: concat(header, encodeAttributes(attributes)),
		operation,
		subject: gateway ? `${to} via ${formatIp(gateway)}` : to,
	};
}
