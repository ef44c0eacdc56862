import { formatIp, macFromBytes } from '@tapestry/base';
import { nodePortName } from '../compile/names.ts';
import type { Answer, SentPacket } from './answer.ts';

/** What ovn-trace(8) is asked. */
export interface Microflow {
	readonly datapath: string;
	readonly flow: string;
	/** Options that make every connection a new one, and take the endpoint that the answer took. */
	readonly options: readonly string[];
}

/** More than there are stages with connection tracking on a way through several switches and routers. */
const trackings = 16;

export function microflowOf({ switch: datapath, inport, packet, endpoint, isOnlyEndpoint }: SentPacket): Microflow {
	const { source, target, protocol, sourcePort, targetPort, sourceMac, targetMac, ttl } = packet;
	const ip = `ip${source.family}`;
	const upper =
		protocol === 'icmp'
			? source.family === 4
				? 'icmp4.type == 8 && icmp4.code == 0'
				: 'icmp6.type == 128 && icmp6.code == 0'
			: `${protocol}.src == ${sourcePort} && ${protocol}.dst == ${targetPort}`;
	const parts = [
		`inport == ${JSON.stringify(inport)}`,
		`eth.src == ${macText(sourceMac)}`,
		`eth.dst == ${macText(targetMac)}`,
		`${ip}.src == ${formatIp(source)}`,
		`${ip}.dst == ${formatIp(target)}`,
		`ip.ttl == ${ttl}`,
		upper,
	];
	const tracked = Array.from({ length: trackings }, () => ['--ct', 'new']).flat();
	// With --lb-dst ovn-trace shows the endpoint's address also to rules that see the Service's, so it is given only where there is a choice.
	const choice = endpoint === undefined || isOnlyEndpoint ? [] : ['--lb-dst', endpoint];
	return { datapath, flow: parts.join(' && '), options: [...tracked, ...choice] };
}

/** Packets of OVN's own: what it sends back of one that it refuses, and its questions for a neighbour's address. */
const ownPackets = /^\s*(tcp_reset|icmp4|icmp4_error|icmp6|icmp6_error|sctp_abort|reject|arp|nd_ns)\b.*\{/;

/** Whether `ovn-trace --minimal` says of the answer's packet what the answer does. What becomes of a router's own answer is not compared. */
export function agreesWithTrace({ deliveredTo, answeredBy }: Answer, trace: string): boolean {
	if (answeredBy !== undefined) return /icmp[46]\.type = (0|129);/.test(trace);
	const outputs = outputsOf(trace);
	if (deliveredTo === undefined) return outputs.length === 0;
	// ovn-trace takes every node's port for one of its own node, so the packet may leave through any node.
	const nodes = nodePortName('');
	return outputs.includes(deliveredTo) || (deliveredTo.startsWith(nodes) && outputs.some((port) => port.startsWith(nodes)));
}

/** The ports that the packet comes out of; OVN's own packets do not count. */
function outputsOf(trace: string): readonly string[] {
	const outputs: string[] = [];
	let depth = 0;
	let ownAt: number | undefined;
	for (const line of trace.split('\n')) {
		if (ownAt === undefined && ownPackets.test(line)) ownAt = depth;
		depth += (line.match(/\{/g)?.length ?? 0) - (line.match(/\}/g)?.length ?? 0);
		const port = /\boutput\("((?:[^"\\]|\\.)*)"\)/.exec(line)?.[1];
		if (port !== undefined && ownAt === undefined) outputs.push(port);
		if (ownAt !== undefined && depth <= ownAt) ownAt = undefined;
	}
	return outputs;
}

function macText(value: bigint): string {
	return macFromBytes(Uint8Array.from({ length: 6 }, (_, at) => Number((value >> BigInt(40 - 8 * at)) & 255n)));
}
