import { formatIp } from '@tapestry/base';
import { sameIp } from './addresses.ts';
import { crossRouter } from './at-router.ts';
import { crossSwitch } from './at-switch.ts';
import { drop, type End, type Journey, type Place } from './journey.ts';
import type { LogicalNetwork, SwitchPort } from './logical-network.ts';
import { gatewayOf, isOnLink, neighbourOf } from './neighbour.ts';
import type { Packet } from './packet.ts';

/** Follows a packet from the workload's port that sends it to its end. */
export function walk(journey: Journey, from: SwitchPort, packet: Packet): End {
	const start = firstHop(journey.network, from, packet);
	journey.sent = start.kind === 'switch' ? start.packet : undefined;
	return start.kind === 'switch' ? walkOn(journey, start) : start;
}

/** The rest of the way, from a switch or router on. */
export function walkOn(journey: Journey, start: Place): End {
	let place: Place | End = start;
	while (place.kind === 'switch' || place.kind === 'router') {
		place = place.kind === 'switch' ? crossSwitch(journey, place) : crossRouter(journey, place);
	}
	return place;
}

export function newJourney(
	network: LogicalNetwork,
	options: { readonly backend?: number; readonly stateless?: ReadonlySet<string> } = {},
): Journey {
	return {
		network,
		steps: [],
		allowedBy: [],
		sent: undefined,
		balanced: undefined,
		backend: options.backend ?? 0,
		isResident: (port, node) => node !== '' && network.port(port)?.node === node,
		stateless: new Set(options.stateless),
	};
}

/** What the sender's own stack does: on its link it asks for the address, all else it sends to its gateway. */
function firstHop(network: LogicalNetwork, from: SwitchPort, packet: Packet): Extract<Place, { kind: 'switch' }> | End {
	const { target } = packet;
	if (from.addresses.some(({ ips }) => ips.some((ip) => sameIp(ip, target)))) {
		return drop('no-such-address', `port ${from.name}`, `${from.name} has ${formatIp(target)} itself`, { origin: from.origin });
	}
	const isNear = isOnLink(network, from.switch, target);
	const next = isNear ? neighbourOf(network, from.switch, target) : gatewayOf(network, from.switch, target);
	if (next) return { kind: 'switch', port: from, to: next.port, packet: { ...packet, targetMac: next.mac } };
	const name = network.switch(from.switch)?.name ?? from.switch;
	const origin = network.switch(from.switch)?.origin;
	if (isNear) return drop('no-such-address', `switch ${name}`, `nobody on subnet ${name} has ${formatIp(target)}`, { origin });
	return drop('no-gateway', `switch ${name}`, `subnet ${name} has no router for IPv${target.family}`, { origin });
}
