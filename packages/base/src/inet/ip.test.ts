import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareIps, formatIp, type Ip, ipFromBytes, ipToBytes, parseIp } from './ip.ts';

const ips: fc.Arbitrary<Ip> = fc.oneof(
	fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value): Ip => ({ family: 4, value })),
	fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value): Ip => ({ family: 6, value })),
	// Groups that are often zero, so that compression has something to choose from.
	fc
		.array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), { minLength: 8, maxLength: 8 })
		.map((groups): Ip => ({ family: 6, value: groups.reduce((value, group) => (value << 16n) | group, 0n) })),
);

describe('parseIp', () => {
	it.each([
		['0.0.0.0', 4, 0n],
		['10.16.0.5', 4, 0x0a100005n],
		['255.255.255.255', 4, 0xffffffffn],
		['::', 6, 0n],
		['::1', 6, 1n],
		['fd00::', 6, 0xfd00n << 112n],
		['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n],
		['1::8', 6, (1n << 112n) | 8n],
		['::ffff:10.0.0.1', 6, 0xffff0a000001n],
		['64:ff9b::192.0.2.33', 6, (0x64n << 112n) | (0xff9bn << 96n) | 0xc0000221n],
		['1:2:3:4:5:6:7::', 6, 0x00010002000300040005000600070000n],
		['ABCD::EF01', 6, (0xabcdn << 112n) | 0xef01n],
	] as const)('reads %s', (text, family, value) => {
		expect(parseIp(text)).toEqual({ family, value });
	});

	it.each([
		['', 'empty'],
		['10.0.0', 'three octets'],
		['10.0.0.1.2', 'five octets'],
		['10.0.0.256', 'octet too large'],
		['10.0.0.01', 'leading zero'],
		[' 10.0.0.1', 'blank'],
		['10.0.0.1/24', 'a prefix'],
		['0x0a.0.0.1', 'hexadecimal'],
		[':::', 'three colons'],
		['1:2:3:4:5:6:7', 'seven groups'],
		['1:2:3:4:5:6:7:8:9', 'nine groups'],
		['1:2:3:4:5:6:7::8', ':: for no group'],
		['1::2::3', ':: twice'],
		['12345::', 'five digits'],
		[':1::', 'a lone colon in front'],
		['1::2:', 'a lone colon at the end'],
		['::1.2.3', 'short embedded IPv4'],
		['1.2.3.4::', 'IPv4 not at the end'],
		['::1.2.3.4:5', 'IPv4 not at the end'],
		['fe80::1%eth0', 'a zone'],
	])('refuses %j (%s)', (text) => {
		expect(parseIp(text)).toBeUndefined();
	});

	it('agrees with the platform on any text', () => {
		const piece = fc.constantFrom('0', '1', '00', '255', '256', 'ffff', 'F', '12345', ':', '::', '.', '1.2.3.4', '-', 'g');
		const near = fc.array(piece, { maxLength: 17 }).map((parts) => parts.join(''));
		fc.assert(
			fc.property(fc.oneof(near, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
				fc.pre(!text.includes('%'));
				expect(parseIp(text)?.family ?? 0).toBe(isIP(text));
			}),
			{ numRuns: 3000 },
		);
	});
});

describe('formatIp', () => {
	// The examples of RFC 5952 sections 4 and 5.
	it.each([
		['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
		['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
		['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
		['2001:DB8::ABCD', '2001:db8::abcd'],
		['0:0:0:0:0:ffff:192.0.2.1', '::ffff:192.0.2.1'],
		['0:0:0:0:0:0:0:0', '::'],
		['fd00:10:16:0:0:0:0:0', 'fd00:10:16::'],
	])('writes %s as %s', (text, canonical) => {
		expect(formatIp(parseIp(text)!)).toBe(canonical);
	});

	it('is undone by parseIp, and is canonical', () => {
		fc.assert(
			fc.property(ips, (ip) => {
				const text = formatIp(ip);
				expect(parseIp(text)).toEqual(ip);
				expect(isIP(text)).toBe(ip.family);
				if (ip.family === 6 && !text.startsWith('::ffff:')) expect(text).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
			}),
			{ numRuns: 1000 },
		);
	});
});

it('converts to bytes and back', () => {
	expect([...ipToBytes(parseIp('10.16.0.5')!)]).toEqual([10, 16, 0, 5]);
	expect(ipFromBytes(new Uint8Array(5))).toBeUndefined();
	fc.assert(
		fc.property(ips, (ip) => {
			expect(ipFromBytes(ipToBytes(ip))).toEqual(ip);
		}),
	);
});

it('orders IPv4 before IPv6, then by value', () => {
	const sorted = ['10.0.0.2', '10.0.0.10', '::1', 'fd00::'];
	expect([...sorted].reverse().sort((a, b) => compareIps(parseIp(a)!, parseIp(b)!))).toEqual(sorted);
});
