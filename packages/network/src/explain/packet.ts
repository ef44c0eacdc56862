import type { Ip } from '@tapestry/base';
import type { PacketFields } from '../match/index.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp' | 'icmp';

/** A packet on its way. */
export interface Packet {
	readonly source: Ip;
	readonly target: Ip;
	readonly protocol: Protocol;
	/** Of TCP, UDP and SCTP. */
	readonly sourcePort: number;
	readonly targetPort: number;
	/** Whether it answers a packet that passed: connection tracking knows it. */
	readonly isReply: boolean;
	readonly sourceMac: bigint;
	readonly targetMac: bigint;
	/** The node that the pipeline runs on: the sender's, because routers are distributed. */
	readonly node: string;
	readonly ttl: number;
}

/** The protocol numbers of IANA. */
const numbers = { tcp: 6n, udp: 17n, sctp: 132n } as const;
/** ovn-sb(5): new and tracked; established, reply and tracked. */
const tracked = { first: 0x21n, reply: 0x2an } as const;

/** The fields that match expressions look at. */
export function fieldsOf(packet: Packet, ports: { readonly inport: string; readonly outport?: string }): PacketFields {
	const { source, target, protocol, sourcePort, targetPort, isReply } = packet;
	const { family } = source;
	const echo = family === 4 ? { type: isReply ? 0n : 8n, number: 1n } : { type: isReply ? 129n : 128n, number: 58n };
	const upper =
		protocol === 'icmp'
			? { [`icmp${family}.type`]: echo.type, [`icmp${family}.code`]: 0n }
			: { [`${protocol}.src`]: BigInt(sourcePort), [`${protocol}.dst`]: BigInt(targetPort) };
	return {
		...ports,
		'eth.src': packet.sourceMac,
		'eth.dst': packet.targetMac,
		'eth.type': family === 4 ? 0x0800n : 0x86ddn,
		'ip.proto': protocol === 'icmp' ? echo.number : numbers[protocol],
		'ip.ttl': BigInt(packet.ttl),
		[`ip${family}.src`]: source.value,
		[`ip${family}.dst`]: target.value,
		...upper,
		ct_state: isReply ? tracked.reply : tracked.first,
	};
}
