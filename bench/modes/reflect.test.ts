import { macToBytes } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import {
	arpReplyFrom,
	arpRequest,
	echoRequest,
	echoRequest6,
	neighbourSolicitation,
	tcpSyn,
} from '../../packages/agent/src/testing/frames.ts';
import { reflect } from './reflect.ts';

const guest = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };
const peer = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const mac = macToBytes(guest.mac);

/** RFC 1071 over a part of a frame: 0 when its checksum is right. */
function sumOf(bytes: Uint8Array): number {
	let sum = 0;
	for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
	return ~sum & 0xffff;
}

describe('reflect', () => {
	it('answers ARP for the address that is asked for', () => {
		const frame = arpRequest(peer, guest.ip);
		expect(reflect(frame, mac)).toBe(true);
		expect(arpReplyFrom(frame, guest.ip)).toBe('020000000002');
		expect(frame.toString('hex', 0, 6)).toBe('020000000001');
	});

	it('answers an echo with its ends exchanged and both checksums right', () => {
		const frame = echoRequest(peer, guest);
		expect(reflect(frame, mac)).toBe(true);
		expect([...frame.subarray(26, 34)]).toEqual([10, 0, 0, 2, 10, 0, 0, 1]);
		expect(frame[34]).toBe(0);
		expect(sumOf(frame.subarray(14, 34))).toBe(0);
		expect(sumOf(frame.subarray(34))).toBe(0);
	});

	it('answers an IPv6 echo with a right checksum', () => {
		const frame = echoRequest6({ ...peer, ip: 'fd00::1' }, { ...guest, ip: 'fd00::2' });
		expect(reflect(frame, mac)).toBe(true);
		expect(frame[54]).toBe(129);
		const pseudo = Buffer.concat([frame.subarray(22, 54), Buffer.from([0, 0, 0, frame.length - 54, 0, 0, 0, 58])]);
		expect(sumOf(Buffer.concat([pseudo, frame.subarray(54)]))).toBe(0);
	});

	it('turns datagrams, and fragments without touching what is no header', () => {
		const first = echoRequest(peer, guest);
		first[23] = 17;
		first.writeUInt32BE((4000 << 16) | 7, 34);
		const later = Buffer.from(first);
		later.writeUInt16BE(185, 20);
		expect(reflect(first, mac) && reflect(later, mac)).toBe(true);
		expect(first.readUInt32BE(34)).toBe(7 * 65_536 + 4000);
		expect(later.readUInt32BE(34)).toBe(4000 * 65_536 + 7);
	});

	it.each([
		['TCP, which it does not speak', tcpSyn(peer, guest, 80)],
		['a broadcast', echoRequest(peer, { mac: 'ff:ff:ff:ff:ff:ff', ip: '10.0.0.255' })],
		['a neighbour solicitation, which OVN answers', neighbourSolicitation({ ...peer, ip: 'fd00::1' }, 'fd00::2')],
		['a short frame', Buffer.alloc(20)],
	])('does not answer %s', (_name, frame) => {
		expect(reflect(frame, mac)).toBe(false);
	});
});
