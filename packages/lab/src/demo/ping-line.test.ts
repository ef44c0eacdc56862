import { describe, expect, it } from 'vitest';
import { parsePingLine } from './ping-line.ts';

describe('parsePingLine', () => {
	it("takes iputils' own stamp", () => {
		const line = '[1795222198.376936] 64 bytes from 10.16.0.3: icmp_seq=17 ttl=64 time=2.38 ms';
		expect(parsePingLine(line, 5)).toEqual({ sequence: 17, at: 1795222198376.936 });
	});

	it("takes the arrival of busybox' line, which has none", () => {
		expect(parsePingLine('64 bytes from fd00:10:16::4: seq=9 ttl=64 time=7.446 ms', 5)).toEqual({ sequence: 9, at: 5 });
	});

	it.each([
		'PING 10.16.0.3 (10.16.0.3) 56(84) bytes of data.',
		'[1795222198.376936] From 10.16.0.2 icmp_seq=4 Destination Host Unreachable',
		'ping: sendmsg: No buffer space available',
		'10 packets transmitted, 10 packets received, 0% packet loss',
		'',
	])('finds no answer in: %s', (line) => {
		expect(parsePingLine(line, 5)).toBeUndefined();
	});
});
