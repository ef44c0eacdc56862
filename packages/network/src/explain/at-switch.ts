import { formatIp } from '@tapestry/base';
import { sameIp } from './addresses.ts';
import { cite, drop, type End, holds, type Journey, type Place } from './journey.ts';
import type { Acl, LogicalSwitch, PortAddress, SwitchPort, Vip } from './logical-network.ts';
import { fieldsOf, type Packet } from './packet.ts';

/** One switch, from the port that the packet comes in by to the one that it leaves by; the order is that of ovn-northd(8). */
export function crossSwitch(journey: Journey, place: Extract<Place, { kind: 'switch' }>): Place | End {
	const { network } = journey;
	const { port, to } = place;
	const own = network.switch(port.switch);
	if (!own) return drop('no-route', port.name, 'its switch is not there');
	if (isWorkload(port) && !isSentBy(port.security, place.packet)) {
		const detail = `${port.name} may not send from ${formatIp(place.packet.source)}`;
		return drop('port-security', own.name, detail, { origin: port.origin });
	}
	const sent = passAcls(journey, own, 'from-lport', false, port, to, place.packet);
	if (sent) return sent;
	const balanced = isWorkload(port) && !place.packet.isReply ? balance(journey, own, place.packet) : place.packet;
	if ('kind' in balanced) return balanced;
	const { vip } = journey.balanced ?? {};
	const isOwn = vip !== undefined && sameIp(balanced.target, balanced.source);
	return isOwn ? arrive(journey, own, port, port, hairpin(balanced, vip)) : cross(journey, own, port, to, balanced);
}

/** Who meets itself behind a Service gets the packet at once, from the Service's address (ovn-northd(8), hairpin). */
function hairpin(packet: Packet, { ip }: Vip): Packet {
	return { ...packet, source: ip, sourceMac: packet.targetMac, targetMac: packet.sourceMac };
}

function cross(journey: Journey, own: LogicalSwitch, port: SwitchPort, to: SwitchPort, packet: Packet): Place | End {
	return passAcls(journey, own, 'from-lport', true, port, to, packet) ?? arrive(journey, own, port, to, packet);
}

function arrive(journey: Journey, own: LogicalSwitch, port: SwitchPort, to: SwitchPort, packet: Packet): Place | End {
	const { network } = journey;
	const isOwn = to.addresses.some(({ ips }) => ips.some((ip) => sameIp(ip, packet.target)));
	const isVip = !isOwn && to.security.some(({ ips }) => ips.some((ip) => sameIp(ip, packet.target)));
	const shared = isVip ? `, which may have ${formatIp(packet.target)} beside its own address` : '';
	journey.steps.push({ at: `switch ${own.name}`, what: `${port.name} -> ${to.name}${shared}` });
	const received = passAcls(journey, own, 'to-lport', false, port, to, packet);
	if (received) return received;
	if (isWorkload(to) && !isReceivedBy(to.security, packet)) {
		return drop('port-security', own.name, `${to.name} does not take packets for ${formatIp(packet.target)}`, { origin: to.origin });
	}
	if (to.routerPort !== undefined) {
		const beyond = network.routerPort(to.routerPort);
		return beyond ? { kind: 'router', port: beyond, packet } : drop('no-route', own.name, `${to.routerPort} is not there`);
	}
	return { kind: isWorkload(to) && !to.takesUnknown ? 'delivered' : 'left', port: to, packet };
}

function isWorkload(port: SwitchPort): boolean {
	return port.type === '';
}

function passAcls(
	journey: Journey,
	own: LogicalSwitch,
	direction: Acl['direction'],
	isAfterBalancing: boolean,
	port: SwitchPort,
	to: SwitchPort,
	packet: Packet,
): End | undefined {
	const at = direction === 'from-lport' ? port : to;
	const zone = `${direction}/${own.name}/${at.name}`;
	// Connections are tracked at workloads' ports, of switches with a rule that asks for it (ovn-northd(8), pre-ACLs).
	const other = `${direction === 'from-lport' ? 'to-lport' : 'from-lport'}/${own.name}/${at.name}`;
	const isTracked = isWorkload(at) && own.acls.some(({ action }) => action === 'allow-related') && !journey.stateless.has(other);
	if (packet.isReply && isTracked) return undefined;
	// Where a packet goes is not decided yet when what a port sends is looked at.
	const fields = fieldsOf(packet, direction === 'from-lport' ? { inport: port.name } : { inport: port.name, outport: to.name });
	// What a workload receives is looked at on its own node.
	const node = isWorkload(at) ? at.node : packet.node;
	const hits = own.acls.filter(
		(acl) => acl.direction === direction && acl.isAfterBalancing === isAfterBalancing && holds(journey, acl.match, fields, node),
	);
	const [hit] = hits;
	if (!hit) return undefined;
	if (hit.action.startsWith('allow')) {
		if (hit.action === 'allow-stateless') journey.stateless.add(zone);
		const by = cite(hit, direction);
		journey.allowedBy.push(by);
		journey.steps.push({ at: `port ${at.name}`, what: `${direction === 'from-lport' ? 'sending' : 'receiving'} is allowed`, by });
		return undefined;
	}
	const equals = hits.filter((acl) => acl !== hit && acl.priority === hit.priority && !acl.action.startsWith('allow'));
	const also = equals.flatMap(({ origin }) => (origin ? [`${origin.object} ${origin.path ?? ''}`.trim()] : []));
	const by = { ...cite(hit, direction), also: [...new Set([...hit.also, ...also])] };
	const detail = direction === 'from-lport' ? `${port.name} may not send it` : `${to.name} may not receive it`;
	return drop('policy', `port ${at.name}`, detail, { by, isRefused: hit.action === 'reject' });
}

/** Puts an endpoint's address in place of a Service's. */
function balance(journey: Journey, own: LogicalSwitch, packet: Packet): Packet | End {
	for (const balancer of own.balancers) {
		const vip = balancer.vips.find((one) => isFor(one, balancer.protocol, packet));
		if (!vip) continue;
		journey.balanced = { balancer, vip };
		const name = balancer.origin?.object ?? `load balancer ${balancer.name}`;
		const backend = vip.backends[journey.backend] ?? vip.backends[0];
		if (!backend) {
			const detail = `${name} has no endpoint for ${formatIp(vip.ip)}${vip.port === undefined ? '' : ` port ${vip.port}`}`;
			return drop('no-endpoints', own.name, detail, { origin: balancer.origin, isRefused: vip.isRefusing });
		}
		const targetPort = backend.port ?? packet.targetPort;
		journey.steps.push({ at: name, what: `${formatIp(packet.target)} -> ${formatIp(backend.ip)} port ${targetPort}` });
		return { ...packet, target: backend.ip, targetPort };
	}
	return packet;
}

function isFor(vip: Vip, protocol: string, packet: Packet): boolean {
	if (!sameIp(vip.ip, packet.target)) return false;
	return vip.port === undefined || (protocol === packet.protocol && vip.port === packet.targetPort);
}

function isSentBy(security: readonly PortAddress[], { source, sourceMac }: Packet): boolean {
	return security.length === 0 || security.some(({ mac, blocks }) => mac === sourceMac && holdsIp(blocks, source));
}

function isReceivedBy(security: readonly PortAddress[], { target, targetMac }: Packet): boolean {
	return security.length === 0 || security.some(({ mac, blocks }) => mac === targetMac && holdsIp(blocks, target));
}

function holdsIp(blocks: PortAddress['blocks'], ip: Packet['source']): boolean {
	return blocks.length === 0 || blocks.some((block) => block.family === ip.family && contains(block, ip.value));
}

function contains(block: PortAddress['blocks'][number], value: bigint): boolean {
	const hostBits = BigInt((block.family === 4 ? 32 : 128) - block.prefix);
	return value >> hostBits === block.network >> hostBits;
}
