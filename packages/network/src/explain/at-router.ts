import { cidrContains, formatIp, type Ip, parseIp } from '@tapestry/base';
import { sameIp } from './addresses.ts';
import { cite, drop, type End, holds, type Journey, type Place } from './journey.ts';
import type { LogicalRouter, Route, RouterPort } from './logical-network.ts';
import { neighbourOf } from './neighbour.ts';
import { fieldsOf, type Packet } from './packet.ts';

interface Decision {
	readonly out: RouterPort;
	readonly nextHop: Ip;
}

/** One router, from the port that the packet comes in by to the switch or router beyond; the order is that of ovn-northd(8). */
export function crossRouter(journey: Journey, { port, packet }: Extract<Place, { kind: 'router' }>): Place | End {
	const { network } = journey;
	const router = network.router(port.router);
	if (!router) return drop('no-route', port.name, 'its router is not there');
	const at = `router ${router.name}`;
	if (packet.ttl <= 1) return drop('loop', at, 'the packet goes round and round', { origin: router.origin });
	const own = router.ports.find(({ networks }) => networks.some(({ ip }) => sameIp(ip, packet.target)));
	if (own) {
		if (packet.protocol === 'icmp') return { kind: 'answered', port: own, enteredBy: port, packet };
		return drop('router-address', at, `${formatIp(packet.target)} is the router's own address, where nothing listens`, {
			origin: own.origin,
			isRefused: true,
		});
	}
	const routed = route(router, port, packet);
	if (!routed) return drop('no-route', at, `VPC ${router.name} has no route to ${formatIp(packet.target)}`, { origin: router.origin });
	const decided = applyPolicies(journey, router, port, packet, routed);
	if ('kind' in decided) return decided;
	const { out, nextHop } = decided;
	const shown = sameIp(nextHop, packet.target) ? '' : ` next hop ${formatIp(nextHop)}`;
	journey.steps.push({ at, what: `${port.name} -> ${out.name}${shown}` });
	return deliver(journey, router, decided, { ...packet, ttl: packet.ttl - 1, sourceMac: out.mac });
}

/** The longest prefix wins; of equal ones a connected network, then a route by destination, then one by source (ovn-northd(8), IP routing). */
function route(router: LogicalRouter, from: RouterPort, packet: Packet): Decision | undefined {
	let best: { readonly rank: number; readonly decision: Decision } | undefined;
	const offer = (rank: number, decision: Decision): void => {
		if (!best || rank > best.rank) best = { rank, decision };
	};
	for (const out of router.ports) {
		for (const { block } of out.networks) {
			if (cidrContains(block, packet.target)) offer(block.prefix * 3 + 2, { out, nextHop: packet.target });
		}
	}
	for (const one of router.routes) {
		const isMeant = one.table === from.table && cidrContains(one.block, one.bySource ? packet.source : packet.target);
		const decision = isMeant ? decide(router, one) : undefined;
		if (decision) offer(one.block.prefix * 3 + (one.bySource ? 0 : 1), decision);
	}
	return best?.decision;
}

function decide(router: LogicalRouter, { nextHop, outputPort }: Route): Decision | undefined {
	const ip = parseIp(nextHop);
	const out = ip && (outputPort ? router.ports.find(({ name }) => name === outputPort) : towards(router, ip));
	return ip && out && { out, nextHop: ip };
}

function towards(router: LogicalRouter, ip: Ip): RouterPort | undefined {
	return router.ports.find(({ networks }) => networks.some(({ block }) => cidrContains(block, ip)));
}

function applyPolicies(journey: Journey, router: LogicalRouter, from: RouterPort, packet: Packet, routed: Decision): Decision | End {
	const fields = fieldsOf(packet, { inport: from.name, outport: routed.out.name });
	for (const policy of router.policies) {
		const nextHops = policy.nextHops.flatMap((text) => parseIp(text) ?? []);
		const usable = nextHops.flatMap((nextHop) => {
			const out = towards(router, nextHop);
			return out ? [{ out, nextHop }] : [];
		});
		// ovn-northd writes no flow for a next hop that none of the router's networks holds.
		if (policy.action === 'reroute' && usable.length === 0) continue;
		if (!holds(journey, policy.match, fields, packet.node)) continue;
		const by = cite(policy, 'policy');
		const at = `router ${router.name}`;
		if (policy.action === 'drop') return drop('route-policy', at, `a policy of VPC ${router.name} drops it`, { by });
		const [first] = usable;
		if (policy.action !== 'reroute' || !first) return routed;
		journey.steps.push({ at, what: `a policy sends it to ${formatIp(first.nextHop)}`, by });
		return first;
	}
	return routed;
}

function deliver(journey: Journey, router: LogicalRouter, { out, nextHop }: Decision, packet: Packet): Place | End {
	const { network } = journey;
	if (out.peer !== undefined) {
		const peer = network.routerPort(out.peer);
		if (!peer) return drop('no-next-hop', out.name, 'the router at the other end is not there', { origin: router.origin });
		return { kind: 'router', port: peer, packet: { ...packet, targetMac: peer.mac } };
	}
	const entry = out.switchPort === undefined ? undefined : network.port(out.switchPort);
	if (!entry) return drop('no-next-hop', out.name, 'the router port leads nowhere', { origin: router.origin });
	const neighbour = neighbourOf(network, entry.switch, nextHop);
	if (neighbour) return { kind: 'switch', port: entry, to: neighbour.port, packet: { ...packet, targetMac: neighbour.mac } };
	const name = network.switch(entry.switch)?.name ?? entry.switch;
	const at = `switch ${name}`;
	if (sameIp(nextHop, packet.target)) {
		return drop('no-such-address', at, `nobody on subnet ${name} has ${formatIp(nextHop)}`, { origin: out.origin });
	}
	return drop('no-next-hop', at, `nobody on subnet ${name} has the next hop ${formatIp(nextHop)}`, { origin: router.origin });
}
