import { describe, expect, it } from 'vitest';
import { dnsmasqArguments, nameServersOf } from './guest-addresses.ts';

const common = { bridge: 'k6t-eth0', mac: '00:00:00:aa:bb:cc', hostname: 'vm1', mtu: 1442, nameServers: ['10.96.0.10', 'fd00::10'] };

describe('dnsmasqArguments', () => {
	it('gives a guest the address that the bridge does not share', () => {
		const families = [{ family: 4, address: '10.16.0.7', prefix: 20, gateway: '10.16.0.1' }] as const;
		const args = dnsmasqArguments({ ...common, families }, '/leases');
		expect(args).toContain('--shared-network=k6t-eth0,10.16.0.7');
		expect(args).toContain('--dhcp-range=10.16.0.7,static,255.255.240.0,infinite');
		expect(args).toContain('--dhcp-host=00:00:00:aa:bb:cc,10.16.0.7,vm1,infinite');
		expect(args).toContain('--dhcp-option=option:router,10.16.0.1');
		expect(args).toContain('--dhcp-option=option:dns-server,10.96.0.10');
		expect(args).not.toContain('--enable-ra');
	});

	it('says that there is no router rather than to be it', () => {
		const families = [{ family: 4, address: '10.16.0.7', prefix: 32, gateway: undefined }] as const;
		const args = dnsmasqArguments({ ...common, nameServers: [], families }, '/leases');
		expect(args).toContain('--dhcp-option=option:router');
		expect(args).toContain('--dhcp-option=option:dns-server');
		expect(args).toContain('--dhcp-range=10.16.0.7,static,255.255.255.255,infinite');
	});

	it('advertises IPv6', () => {
		const families = [{ family: 6, address: 'fd10:0:2::2', prefix: 120, gateway: undefined }] as const;
		const args = dnsmasqArguments({ ...common, families }, '/leases');
		expect(args).toContain('--dhcp-range=fd10:0:2::2,fd10:0:2::2,120,infinite');
		expect(args).toContain('--enable-ra');
		expect(args).toContain('--ra-param=k6t-eth0,mtu:1442,60');
		expect(dnsmasqArguments({ ...common, families, isRouter: false }, '/leases')).toContain('--ra-param=k6t-eth0,mtu:1442,60,0');
		expect(args).toContain('--dhcp-option=option6:dns-server,[fd00::10]');
	});
});

it('knows the name servers that are not on the loopback', () => {
	const text =
		'# resolv\nsearch a.b\nnameserver 127.0.0.53\nnameserver 10.96.0.10\nnameserver ::1\nnameserver  fd00::10\noptions ndots:5\n';
	expect(nameServersOf(text)).toEqual(['10.96.0.10', 'fd00::10']);
});
