import { ipToBytes, macToBytes, parseIp } from '@tapestry/base';

/** Ethernet frames for tests, built by hand: a sender that no stack keeps from lying. */

export interface End {
	readonly mac: string;
	readonly ip: string;
}

const broadcast = 'ff:ff:ff:ff:ff:ff';

export function arpRequest(from: End, target: string): Buffer {
	const body = [hex('0001080006040001'), macToBytes(from.mac), bytes(from.ip), Buffer.alloc(6), bytes(target)];
	return ethernet(broadcast, from.mac, 0x0806, Buffer.concat(body));
}

/** The sender's hardware address in an ARP reply about `target`; undefined for any other frame. */
export function arpReplyFrom(frame: Buffer, target: string): string | undefined {
	if (frame.readUInt16BE(12) !== 0x0806 || frame.readUInt16BE(20) !== 2 || !frame.subarray(28, 32).equals(bytes(target))) return undefined;
	return frame.toString('hex', 22, 28);
}

export function echoRequest(from: End, to: End): Buffer {
	const message = hex('0800000000010001');
	message.writeUInt16BE(checksum(message), 2);
	return ipv4(from, to, 1, message);
}

export function isEchoReply(frame: Buffer, from: string): boolean {
	return frame.readUInt16BE(12) === 0x0800 && frame[23] === 1 && frame[34] === 0 && frame.subarray(26, 30).equals(bytes(from));
}

export function tcpSyn(from: End, to: End, port: number): Buffer {
	const segment = Buffer.alloc(20);
	segment.writeUInt16BE(4321, 0);
	segment.writeUInt16BE(port, 2);
	segment.writeUInt16BE(0x5002, 12);
	segment.writeUInt16BE(1024, 14);
	segment.writeUInt16BE(checksum(Buffer.concat([bytes(from.ip), bytes(to.ip), hex('00060014'), segment])), 16);
	return ipv4(from, to, 6, segment);
}

export const echoRequest6 = (from: End, to: End): Buffer => icmp6(from, to, hex('8000000000010001'));

export function neighbourSolicitation(from: End, target: string): Buffer {
	const group = Buffer.concat([hex('ff0200000000000000000001ff'), bytes(target).subarray(13)]);
	const mac = `33:33:ff:${[...bytes(target).subarray(13)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
	const message = Buffer.concat([hex('8700000000000000'), bytes(target), hex('0101'), macToBytes(from.mac)]);
	return icmp6Bytes(from, group, mac, message);
}

export function routerSolicitation(from: End): Buffer {
	const message = Buffer.concat([hex('8500000000000000'), hex('0101'), macToBytes(from.mac)]);
	return icmp6(from, { mac: '33:33:00:00:00:02', ip: 'ff02::2' }, message);
}

/** The link-local address of an interface: RFC 4291 appendix A. */
export function linkLocalOf(mac: string): string {
	const [a = '', b = '', c = '', d = '', e = '', f = ''] = mac.split(':');
	return `fe80::${(Number.parseInt(a, 16) ^ 2).toString(16)}${b}:${c}ff:fe${d}:${e}${f}`;
}

function icmp6(from: End, to: End, message: Buffer): Buffer {
	return icmp6Bytes(from, bytes(to.ip), to.mac, message);
}

function icmp6Bytes(from: End, to: Buffer, mac: string, message: Buffer): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(message.length);
	message.writeUInt16BE(checksum(Buffer.concat([bytes(from.ip), to, length, hex('0000003a'), message])), 2);
	const header = hex('6000000000003aff');
	header.writeUInt16BE(message.length, 4);
	return ethernet(mac, from.mac, 0x86dd, Buffer.concat([header, bytes(from.ip), to, message]));
}

function ipv4(from: End, to: End, protocol: number, payload: Buffer): Buffer {
	const header = Buffer.concat([hex('450000000001000040000000'), bytes(from.ip), bytes(to.ip)]);
	header.writeUInt16BE(header.length + payload.length, 2);
	header[9] = protocol;
	header.writeUInt16BE(checksum(header), 10);
	return ethernet(to.mac, from.mac, 0x0800, Buffer.concat([header, payload]));
}

function ethernet(to: string, from: string, type: number, payload: Buffer): Buffer {
	const header = Buffer.concat([macToBytes(to), macToBytes(from), Buffer.alloc(2)]);
	header.writeUInt16BE(type, 12);
	return Buffer.concat([header, payload]);
}

/** RFC 1071. */
function checksum(data: Buffer): number {
	let sum = 0;
	for (let i = 0; i < data.length; i += 2) sum += (data[i] ?? 0) * 256 + (data[i + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
	return ~sum & 0xffff;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function bytes(address: string): Buffer {
	const ip = parseIp(address);
	if (!ip) throw new Error(`${address} is no address`);
	return Buffer.from(ipToBytes(ip));
}
