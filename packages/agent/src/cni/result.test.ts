import { describe, expect, it } from 'vitest';
import type { Port } from '../port.ts';
import { addResult } from './result.ts';
import type { CniVersion } from './version.ts';

const port: Port = {
	name: 'a.default',
	ownerUid: 'u1',
	mac: '02:00:00:00:00:07',
	addresses: [
		{ address: '10.16.0.7/16', gateway: '10.16.0.1' },
		{ address: 'fd00:10:16::7/112', gateway: 'fd00:10:16::1' },
	],
	mtu: 1442,
	subnet: 'net',
};
const interfaces = [
	{ name: 'abc_h', mac: '02:00:00:00:00:08', mtu: 1442 },
	{ name: 'eth0', mac: '02:00:00:00:00:07', mtu: 1442, sandbox: '/run/netns/x' },
];
const result = (version: CniVersion, prevResult?: Record<string, unknown>) =>
	addResult(version, { ifname: 'eth0', interfaces, port, prevResult });

describe('the result of ADD', () => {
	it('has one address of each family at its top in 0.1.0 and 0.2.0', () => {
		expect(result('0.2.0')).toEqual({
			cniVersion: '0.2.0',
			ip4: { ip: '10.16.0.7/16', gateway: '10.16.0.1', routes: [{ dst: '0.0.0.0/0', gw: '10.16.0.1' }] },
			ip6: { ip: 'fd00:10:16::7/112', gateway: 'fd00:10:16::1', routes: [{ dst: '::/0', gw: 'fd00:10:16::1' }] },
			dns: {},
		});
	});

	it('numbers families until 0.4.0, no longer in 1.0.0, and tells MTUs from 1.1.0 on', () => {
		expect(result('0.3.1')).toMatchObject({ ips: [{ version: '4', address: '10.16.0.7/16', interface: 1 }, { version: '6' }] });
		expect(result('1.0.0')).toEqual({
			cniVersion: '1.0.0',
			interfaces: [
				{ name: 'abc_h', mac: '02:00:00:00:00:08' },
				{ name: 'eth0', mac: '02:00:00:00:00:07', sandbox: '/run/netns/x' },
			],
			ips: [
				{ address: '10.16.0.7/16', gateway: '10.16.0.1', interface: 1 },
				{ address: 'fd00:10:16::7/112', gateway: 'fd00:10:16::1', interface: 1 },
			],
			routes: [
				{ dst: '0.0.0.0/0', gw: '10.16.0.1' },
				{ dst: '::/0', gw: 'fd00:10:16::1' },
			],
			dns: {},
		});
		expect(result('1.1.0')).toMatchObject({ cniVersion: '1.1.0', interfaces: [{ mtu: 1442 }, { mtu: 1442 }] });
	});

	it('comes after what earlier plugins of the chain made', () => {
		const prevResult = {
			cniVersion: '1.0.0',
			interfaces: [{ name: 'lo' }],
			ips: [{ address: '127.0.0.1/8', interface: 0 }],
			dns: { nameservers: ['10.96.0.10'] },
		};
		expect(result('1.0.0', prevResult)).toMatchObject({
			interfaces: [{ name: 'lo' }, { name: 'abc_h' }, { name: 'eth0' }],
			ips: [{ interface: 0 }, { interface: 2 }, { interface: 2 }],
			dns: { nameservers: ['10.96.0.10'] },
		});
	});
});
