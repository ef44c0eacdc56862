import { formatIp } from '@tapestry/base';
import { sameIp } from './addresses.ts';
import type { Answer } from './answer.ts';
import { denied, deniedByNetwork, type Fault, nameOf, type Setting, type Way } from './denial.ts';
import type { End, Journey } from './journey.ts';
import type { SwitchPort } from './logical-network.ts';
import { vpcOf } from './neighbour.ts';
import type { Packet } from './packet.ts';
import { mtuNotes, troubleOf } from './trouble.ts';
import { newJourney, walk, walkOn } from './walk.ts';

type Arrived = Exclude<End, { kind: 'dropped' }>;

/** What the end of a packet's way means for the question. */
export function outcome(setting: Setting, from: SwitchPort, journey: Journey, end: End): Answer {
	const way = wayOf(setting, from, journey, end);
	const elsewhere = otherVpc(setting, from, journey, end, way);
	if (elsewhere) return elsewhere;
	if (end.kind === 'dropped') return deniedByNetwork(setting, end, way);
	const to = end.kind === 'answered' ? undefined : end.port;
	const trouble = troubleOf(setting, from, to);
	if (trouble) return denied(setting, trouble.reason, trouble.summary, trouble, way);
	const back = replyOf(journey, from, end);
	if (back?.kind === 'dropped') {
		const answer = deniedByNetwork(setting, back, way);
		return { ...answer, reason: answer.reason === 'policy' ? 'reply' : answer.reason, summary: `the answer to it is ${answer.summary}` };
	}
	if (back && (back.kind === 'answered' || back.port.name !== from.name)) {
		const fault = {
			object: back.port.origin?.object,
			fix: 'see who else has the address, and the routes of the VPC that the answer comes from',
		};
		return denied(setting, 'reply', `denied: the answer to it goes to ${back.port.name} instead of ${from.name}`, fault, way);
	}
	return { ...passed(setting, journey, end, way), notes: end.kind === 'delivered' ? mtuNotes(setting, from, end.port) : [] };
}

function wayOf({ network }: Setting, from: SwitchPort, journey: Journey, end: End): Way {
	const { steps, allowedBy, sent, balanced, backend } = journey;
	const chosen = balanced && (balanced.vip.backends[backend] ?? balanced.vip.backends[0]);
	const address = chosen && (chosen.ip.family === 4 ? formatIp(chosen.ip) : `[${formatIp(chosen.ip)}]`);
	return {
		steps,
		allowedBy,
		sent: sent && {
			switch: network.switch(from.switch)?.name ?? from.switch,
			inport: from.name,
			packet: sent,
			endpoint: chosen && `${address}:${chosen.port ?? sent.targetPort}`,
			isOnlyEndpoint: balanced?.vip.backends.length === 1,
		},
		deliveredTo: end.kind === 'delivered' || end.kind === 'left' ? end.port.name : undefined,
		answeredBy: end.kind === 'answered' ? end.port.name : undefined,
	};
}

/** A workload of another VPC is out of reach, even where somebody of the sender's own VPC answers for its address. */
function otherVpc(setting: Setting, from: SwitchPort, journey: Journey, end: End, way: Way): Answer | undefined {
	const { network, question } = setting;
	const { to } = question;
	if (to.kind !== 'workload' || (end.kind === 'delivered' && end.port.name === to.port)) return undefined;
	const asked = network.port(to.port);
	const [mine, theirs] = [from, asked].map((port) => port && vpcOf(network, port));
	const isElsewhere = mine !== undefined && theirs !== undefined && mine !== theirs;
	const isLost = end.kind !== 'dropped' || ['no-route', 'no-such-address', 'no-next-hop'].includes(end.reason);
	if (!isElsewhere || !isLost || journey.balanced) {
		if (end.kind === 'dropped') return undefined;
		const reached = end.kind === 'answered' ? `router port ${end.port.name}` : `port ${end.port.name}`;
		const fault: Fault = { object: to.object, path: 'metadata.annotations', fix: 'see who holds the address: kubectl get ips' };
		return denied(setting, 'no-such-address', `denied: the packet reaches ${reached} instead of ${nameOf(to.object)}`, fault, way);
	}
	const fault: Fault = {
		object: `Vpc/${mine}`,
		path: 'spec.vpcPeerings',
		fix: `join the VPCs by spec.vpcPeerings and spec.staticRoutes of Vpc ${mine} and Vpc ${theirs}`,
	};
	const summary = `denied: ${nameOf(question.from.object)} is in VPC ${mine}, ${nameOf(to.object)} in VPC ${theirs}, and no route leads there`;
	return denied(setting, 'other-vpc', summary, fault, way);
}

/** What comes back, from where the packet ended. The world outside answers by itself. */
function replyOf(journey: Journey, from: SwitchPort, end: Arrived): End | undefined {
	const { network, stateless } = journey;
	const reply: Packet = {
		...end.packet,
		source: end.packet.target,
		target: end.packet.source,
		sourcePort: end.packet.targetPort,
		targetPort: end.packet.sourcePort,
		isReply: true,
		sourceMac: end.packet.targetMac,
		targetMac: 0n,
		ttl: 64,
	};
	const back = newJourney(network, { stateless });
	if (end.kind === 'answered') return walkOn(back, { kind: 'router', port: end.enteredBy, packet: reply });
	if (end.kind !== 'delivered' || end.port.name === from.name) return undefined;
	return walk(back, end.port, { ...reply, node: end.port.node });
}

function passed(setting: Setting, journey: Journey, end: Arrived, way: Way): Answer {
	const { question } = setting;
	const target = formatIp(end.packet.target);
	const to = question.to.object === undefined ? target : nameOf(question.to.object);
	const through = journey.balanced ? ` at ${end.kind === 'answered' ? target : `port ${end.port.name}`}` : '';
	const summary = `passes: ${nameOf(question.from.object)} reaches ${to}${through}; ${howOf(setting, end, way)}`;
	const nothing = { object: undefined, path: undefined, rule: undefined, fix: undefined, notes: [] };
	return { question, verdict: 'passes', reason: 'allowed', summary, ...nothing, ...way };
}

function howOf({ question, observed }: Setting, end: Arrived, way: Way): string {
	const { target } = end.packet;
	if (end.kind === 'answered') return `router port ${end.port.name} answers for ${formatIp(target)}`;
	const { port } = end;
	const node = isNodePort(port) ? observed.nodes.get(port.node) : undefined;
	if (!node || node.addresses.some((ip) => sameIp(ip, target))) return allowance(way) ?? 'no rule is about it';
	if (question.to.object?.startsWith('Service/')) return `the rules of node ${port.node} choose the endpoint`;
	return `it leaves the cluster through node ${port.node}`;
}

/** Nodes' ports are in the join network, their leases named after them. */
function isNodePort(port: SwitchPort): boolean {
	return port.origin?.object === `IP/${port.name}` && port.name === `node-${port.node}`;
}

function allowance({ allowedBy }: Way): string | undefined {
	const names = allowedBy.flatMap(({ origin, also }) =>
		origin?.object ? [`${nameOf(origin.object)}${origin.path ? ` (${origin.path})` : ''}`, ...also] : [],
	);
	return names.length === 0 ? undefined : `allowed by ${[...new Set(names)].join(' and ')}`;
}
