import { expect, it } from 'vitest';
import { isUnicastMac, macFromBytes, macToBytes, parseMac } from './mac.ts';

it('normalises to lower case', () => {
	expect(parseMac('00:00:00:53:6B:B6')).toBe('00:00:00:53:6b:b6');
});

it.each(['', '00:00:00:53:6b', '00:00:00:53:6b:b6:00', '00-00-00-53-6b-b6', '0:0:0:53:6b:b6', '00:00:00:53:6b:bg', ' 00:00:00:53:6b:b6'])(
	'refuses %j',
	(text) => {
		expect(parseMac(text)).toBeUndefined();
	},
);

it('tells what an interface may have', () => {
	expect(isUnicastMac('00:00:00:53:6b:b6')).toBe(true);
	expect(isUnicastMac('02:00:00:00:00:00')).toBe(true);
	expect(isUnicastMac('01:00:5e:00:00:01')).toBe(false);
	expect(isUnicastMac('ff:ff:ff:ff:ff:ff')).toBe(false);
	expect(isUnicastMac('00:00:00:00:00:00')).toBe(false);
	expect(isUnicastMac('no address')).toBe(false);
});

it('converts from and to bytes', () => {
	const bytes = Uint8Array.of(0, 1, 0x0a, 0x53, 0x6b, 0xff);
	expect(macFromBytes(bytes)).toBe('00:01:0a:53:6b:ff');
	expect(macToBytes('00:01:0A:53:6B:FF')).toEqual(bytes);
	expect(() => macFromBytes(bytes.subarray(1))).toThrow(RangeError);
});
