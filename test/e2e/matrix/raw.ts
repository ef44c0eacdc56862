import { randomBytes } from 'node:crypto';
import { macToBytes, parseIp } from '@tapestry/base';
import { tapInto, type Wire } from '../../../packages/linux/src/testing/wire.ts';
import { openEndpoint } from './endpoints.ts';

/** A workload's frames, sent and seen beside its stack: what a stack would never send. */
export interface Raw extends AsyncDisposable {
	/** Sends a UDP datagram from any address; resolves with whether the other one's interface saw it within some time. @default 1000 */
	reaches(to: Raw, packet: RawPacket, milliseconds?: number): Promise<boolean>;
	readonly wire: Wire;
	readonly addresses: readonly string[];
}

export interface RawPacket {
	readonly sourceMac: string;
	readonly targetMac: string;
	readonly source: string;
	readonly target: string;
}

export async function openRaw(pod: `pod/${string}/${string}`): Promise<Raw> {
	await using endpoint = await openEndpoint(pod);
	const wire = await tapInto(endpoint.netns ?? '', 'eth0');
	return {
		wire,
		addresses: endpoint.addresses,
		async reaches(to, packet, milliseconds = 1000) {
			const mark = randomBytes(16);
			const seen = to.wire.receive((frame) => frame.includes(mark)).then(() => true);
			wire.send(udpFrame(packet, mark));
			const silent = Promise.withResolvers<boolean>();
			const timer = setTimeout(() => silent.resolve(false), milliseconds);
			try {
				return await Promise.race([seen, silent.promise]);
			} finally {
				clearTimeout(timer);
			}
		},
		[Symbol.asyncDispose]: () => wire.kill(),
	};
}

function udpFrame({ sourceMac, targetMac, source, target }: RawPacket, payload: Uint8Array): Buffer {
	const isV6 = source.includes(':');
	const addresses = Buffer.concat([bytesOf(source), bytesOf(target)]);
	const udp = Buffer.concat([Buffer.alloc(8), payload]);
	udp.writeUInt16BE(7777, 0);
	udp.writeUInt16BE(7777, 2);
	udp.writeUInt16BE(udp.length, 4);
	const pseudo = isV6
		? Buffer.concat([addresses, Buffer.from([0, 0, udp.length >> 8, udp.length & 255, 0, 0, 0, 17])])
		: Buffer.concat([addresses, Buffer.from([0, 17, udp.length >> 8, udp.length & 255])]);
	udp.writeUInt16BE(checksum(Buffer.concat([pseudo, udp])) || 0xffff, 6);
	const header = isV6 ? Buffer.from([0x60, 0, 0, 0, udp.length >> 8, udp.length & 255, 17, 64]) : v4Header(addresses, udp.length);
	const ethernet = Buffer.concat([macToBytes(targetMac), macToBytes(sourceMac), Buffer.from(isV6 ? [0x86, 0xdd] : [0x08, 0x00])]);
	return isV6 ? Buffer.concat([ethernet, header, addresses, udp]) : Buffer.concat([ethernet, header, udp]);
}

/** RFC 791. */
function v4Header(addresses: Buffer, length: number): Buffer {
	const total = 20 + length;
	const header = Buffer.concat([Buffer.from([0x45, 0, total >> 8, total & 255, 0, 1, 0x40, 0, 64, 17, 0, 0]), addresses]);
	header.writeUInt16BE(checksum(header), 10);
	return header;
}

/** RFC 1071. */
function checksum(data: Buffer): number {
	let sum = 0;
	for (let at = 0; at < data.length; at += 2) sum += (data[at] ?? 0) * 256 + (data[at + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
	return ~sum & 0xffff;
}

function bytesOf(text: string): Uint8Array {
	const ip = parseIp(text);
	if (!ip) throw new Error(`${text} is not an address`);
	const hex = ip.value.toString(16).padStart(ip.family === 4 ? 8 : 32, '0');
	return Buffer.from(hex, 'hex');
}
