import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cidr, cidrContains, cidrRange, cidrsOverlap, firstAddress, formatCidr, lastAddress, parseCidr } from './cidr.ts';
import { formatIp, parseIp } from './ip.ts';

const cidr = (text: string): Cidr => parseCidr(text)!;

describe('parseCidr', () => {
	it.each([
		['10.16.3.4/16', '10.16.0.0/16'],
		['10.0.0.1/32', '10.0.0.1/32'],
		['1.2.3.4/0', '0.0.0.0/0'],
		['FD00:10:16::99/112', 'fd00:10:16::/112'],
		['::1/0', '::/0'],
	])('normalises %s to %s', (text, normal) => {
		expect(formatCidr(cidr(text))).toBe(normal);
	});

	it.each(['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0/8', 'fd00::/129', '/8', ''])(
		'refuses %j',
		(text) => {
			expect(parseCidr(text)).toBeUndefined();
		},
	);
});

describe('first and last address', () => {
	it.each([
		['10.0.0.0/24', '10.0.0.1', '10.0.0.254'],
		['10.0.0.0/30', '10.0.0.1', '10.0.0.2'],
		['10.0.0.4/31', '10.0.0.4', '10.0.0.5'],
		['10.0.0.7/32', '10.0.0.7', '10.0.0.7'],
		['fd00::/64', 'fd00::1', 'fd00::ffff:ffff:ffff:ffff'],
		['fd00::4/127', 'fd00::4', 'fd00::5'],
		['fd00::7/128', 'fd00::7', 'fd00::7'],
	])('of %s are %s and %s', (text, first, last) => {
		expect(formatIp(firstAddress(cidr(text)))).toBe(first);
		expect(formatIp(lastAddress(cidr(text)))).toBe(last);
	});
});

it('contains its own addresses and no others', () => {
	expect(cidrContains(cidr('10.0.0.0/24'), parseIp('10.0.0.255')!)).toBe(true);
	expect(cidrContains(cidr('10.0.0.0/24'), parseIp('10.0.1.0')!)).toBe(false);
	expect(cidrContains(cidr('0.0.0.0/0'), parseIp('::1')!)).toBe(false);
});

it('overlaps exactly when the ranges do', () => {
	const cidrs = fc
		.tuple(fc.constantFrom(4 as const, 6 as const), fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 4 }))
		.map(([family, low, shift]): Cidr => {
			const bits = family === 4 ? 32 : 128;
			return { family, network: BigInt((low >> shift) << shift), prefix: bits - shift };
		});
	fc.assert(
		fc.property(cidrs, cidrs, (a, b) => {
			const [x, y] = [cidrRange(a), cidrRange(b)];
			expect(cidrsOverlap(a, b)).toBe(a.family === b.family && x.first <= y.last && y.first <= x.last);
		}),
	);
});
