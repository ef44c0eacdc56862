import { formatIp, formatIpRange } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import { type PortAddresses, parseInterfaceMac, parseIpAddress, parseIpPool, parseMacAddress } from './address-requests.ts';
import { defaultSubnet } from './default-subnet.ts';
import type { IpPool } from './ip-pool.ts';
import { poolRanges, validateIpPool } from './validate-ip-pool.ts';

const text = (ips: PortAddresses) => ips.map(formatIp).join(',');

describe('ip_address', () => {
	it.each([
		['10.16.0.15', '10.16.0.15'],
		['fd00::15', 'fd00::15'],
		['10.16.0.15,fd00::15', '10.16.0.15,fd00::15'],
		['FD00::15, 10.16.0.15', '10.16.0.15,fd00::15'],
	])('reads %s', (written, read) => {
		expect(text(parseIpAddress(written).value ?? [])).toBe(read);
	});

	it.each(['', '10.16.0', '10.16.0.15/16', '10.16.0.15,10.16.0.16', '10.16.0.15,fd00::15,fd00::16', '10.16.0.15;fd00::15'])(
		'refuses %j',
		(written) => {
			expect(parseIpAddress(written).problem).toMatchObject({ reason: 'AnnotationMalformed' });
		},
	);
});

describe('ip_pool', () => {
	it.each([
		['10.16.0.15,10.16.0.16,10.16.0.17', ['10.16.0.15', '10.16.0.16', '10.16.0.17']],
		['10.16.0.15', ['10.16.0.15']],
		['10.16.0.15,fd00::15', ['10.16.0.15,fd00::15']],
		['10.16.0.15,fd00::15;10.16.0.16,fd00::16', ['10.16.0.15,fd00::15', '10.16.0.16,fd00::16']],
		['10.16.0.15; 10.16.0.16', ['10.16.0.15', '10.16.0.16']],
	])('reads the list %s', (written, entries) => {
		const { value } = parseIpPool(written);
		expect(value?.kind === 'list' && value.entries.map(text)).toEqual(entries);
	});

	it('reads a name', () => {
		expect(parseIpPool('web-pool.v1').value).toEqual({ kind: 'pool', name: 'web-pool.v1' });
	});

	it.each(['', 'Web Pool', '10.16.0.15,web', '10.16.0.15,10.16.0.16;10.16.0.17', ';'])('refuses %j', (written) => {
		expect(parseIpPool(written).problem).toMatchObject({ reason: 'AnnotationMalformed' });
	});
});

describe('mac_address', () => {
	it('normalises', () => {
		expect(parseMacAddress('00:00:00:53:6B:B6').value).toBe('00:00:00:53:6b:b6');
	});

	it.each(['', '00-00-00-53-6B-B6', '01:00:5e:00:00:01', '00:00:00:00:00:00'])('refuses %j', (written) => {
		expect(parseMacAddress(written).problem).toMatchObject({ reason: 'AnnotationMalformed' });
	});
});

describe("macAddress of a VM's interface", () => {
	it.each(['00:00:00:53:6B:B6', '00-00-00-53-6b-b6'])('reads %s', (written) => {
		expect(parseInterfaceMac(written).value).toBe('00:00:00:53:6b:b6');
	});

	it.each(['x', '00:00:00:53:6b', '01:00:5e:00:00:01', '00:00:00:00:00:00'])('refuses %j', (written) => {
		expect(parseInterfaceMac(written).problem).toMatchObject({ reason: 'MacMalformed', field: expect.stringContaining('macAddress') });
	});
});

describe('IPPool', () => {
	const subnet = defaultSubnet({ metadata: { name: 'net1' }, spec: { cidrBlock: '10.16.0.0/16' } });
	const pool = (...ips: string[]): IpPool => ({ metadata: { name: 'web' }, spec: { subnet: 'net1', ips } });

	it('holds addresses, ranges and blocks', () => {
		expect(poolRanges(pool('10.16.0.9', '10.16.0.5..10.16.0.8', '10.16.4.0/30', 'x')).map((range) => formatIpRange(range))).toEqual([
			'10.16.0.5..10.16.0.9',
			'10.16.4.0..10.16.4.3',
		]);
	});

	it.each([
		['10.16.0.9', undefined],
		['10.16.4.0/30', undefined],
		['10.16.0.9..10.16.0.1', 'PoolMalformed'],
		['10.17.0.9', 'PoolOutside'],
		['10.16.255.0..10.17.0.0', 'PoolOutside'],
		['fd00::1', 'PoolOutside'],
	])('%s: %s', (entry, reason) => {
		expect(validateIpPool(pool(entry), subnet, [])[0]?.reason).toBe(reason);
	});

	it('needs its subnet', () => {
		expect(validateIpPool(pool('10.16.0.9'), undefined, [])[0]?.reason).toBe('SubnetUnknown');
	});
});
