import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SubnetSpec } from '../subnet.ts';
import { readDhcpV4Options, readDhcpV6Options, readRaOptions } from './read-options.ts';
import { subnetOptions } from './subnet-options.ts';

const reasons = ({ problems }: { problems: readonly { reason: string }[] }) => problems.map(({ reason }) => reason);

describe('texts of options', () => {
	it('are cut outside of braces and quotes only', () => {
		const read = readDhcpV4Options(
			'lease_time=60, dns_server={10.210.4.201,10.210.4.202},domain_search_list="a.example,b.example" ,mtu=1400',
		);
		expect(read).toEqual({
			options: {
				lease_time: '60',
				dns_server: '{10.210.4.201, 10.210.4.202}',
				domain_search_list: '"a.example,b.example"',
				mtu: '1400',
			},
			problems: [],
		});
	});

	it.each([
		['domain_name=lab.example', '"lab.example"'],
		['domain_name="a\\"b"', '"a\\"b"'],
		['classless_static_route={10.1.0.9/16,10.0.0.2, 0.0.0.0/0,10.0.0.1}', '{10.1.0.0/16, 10.0.0.2, 0.0.0.0/0, 10.0.0.1}'],
		['ip_forward_enable=true', '1'],
		['server_mac=00:00:00:2E:2F:B8', '00:00:00:2e:2f:b8'],
		['tftp_server=10.0.0.9', '10.0.0.9'],
		['tftp_server=boot.example', '"boot.example"'],
	])('DHCPv4 %s is %s', (written, value) => {
		expect(Object.values(readDhcpV4Options(written).options)).toEqual([value]);
	});

	it.each([
		['wibble=3', 'OptionUnknown'],
		['constructor=3', 'OptionUnknown'],
		['offerip=10.0.0.9', 'OptionUnknown'],
		['dns_server={10.0.0.1', 'OptionMalformed'],
		['dns_server={}', 'OptionMalformed'],
		['dns_server=fd00::1', 'OptionMalformed'],
		['router=10.0.0.300', 'OptionMalformed'],
		['mtu=67', 'OptionMalformed'],
		['lease_time=4294967296', 'OptionMalformed'],
		['lease_time=', 'OptionMalformed'],
		['lease_time', 'OptionMalformed'],
		['server_mac=01:00:5e:00:00:01', 'OptionMalformed'],
		['domain_name="open', 'OptionMalformed'],
		[`domain_name=${'a'.repeat(256)}`, 'OptionMalformed'],
		['classless_static_route={10.1.0.0/16}', 'OptionMalformed'],
		['netmask={255.0.0.0,255.0.0.0}', 'OptionMalformed'],
	])('DHCPv4 %s: %s, and the rest stays', (written, reason) => {
		const read = readDhcpV4Options(`T1=30,${written}`);
		expect(read.options).toEqual({ T1: '30' });
		expect(read.problems).toMatchObject([{ reason, field: 'spec.dhcpV4Options', what: expect.stringContaining('is left out') }]);
	});

	it('tell how several values are written', () => {
		const { options, problems } = readDhcpV4Options('dns_server=10.0.0.1,10.0.0.2');
		expect(options).toEqual({ dns_server: '10.0.0.1' });
		expect(problems).toMatchObject([{ fix: expect.stringContaining('dns_server={10.0.0.1,10.0.0.2}') }]);
	});

	it('keep the first of two options of a name', () => {
		const read = readDhcpV4Options('mtu=1400,mtu=1300');
		expect(read).toMatchObject({ options: { mtu: '1400' }, problems: [{ reason: 'OptionTwice' }] });
	});

	it('of DHCPv6 and of advertisements have names and forms of their own', () => {
		const v6 = readDhcpV6Options('dns_server={fd00::9,FD00::8},domain_search=lab.example,dhcpv6_stateless=true,lease_time=60');
		expect(v6.options).toEqual({ dns_server: '{fd00::9, fd00::8}', domain_search: '"lab.example"', dhcpv6_stateless: 'true' });
		expect(reasons(v6)).toEqual(['OptionUnknown']);
		const ra = readRaOptions(
			'address_mode=slaac,max_interval=30,min_interval=2,rdnss=fd00::9,dnssl="a.example,b.example",route_info=HIGH-fd01::/48',
		);
		expect(ra.options).toEqual({
			address_mode: 'slaac',
			max_interval: '30',
			rdnss: 'fd00::9',
			dnssl: 'a.example,b.example',
			route_info: 'HIGH-fd01::/48',
		});
		expect(reasons(ra)).toEqual(['OptionMalformed']);
	});

	it('never let anything through that would end the action they become part of', () => {
		const names = fc.constantFrom('domain_name', 'dns_server', 'classless_static_route', 'tftp_server', 'mtu', 'domain_search_list');
		const value = fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ')', ';', ',', '1', '.', 'a', ' ', '/') });
		fc.assert(
			fc.property(names, value, (name, written) => {
				for (const option of Object.values(readDhcpV4Options(`${name}=${written}`).options)) {
					expect(option).toMatch(/^("(?:[^"\\]|\\["\\])*"|\{[\d./, ]+\}|[\d.]+)$/);
				}
			}),
			{ numRuns: 2000 },
		);
	});
});

describe('subnetOptions', () => {
	const options = (spec: SubnetSpec) =>
		subnetOptions({ metadata: { name: 's' }, spec: { cidrBlock: '10.16.0.0/16', gateway: '10.16.0.1', ...spec } });

	it('tells both families what spec.dhcp says, with the default route among the routes', () => {
		const dhcp = {
			dns: ['10.0.0.53', 'fd00::53', '10.0.0.54'],
			domain: 'lab.example',
			ntp: ['10.0.0.123'],
			routes: [{ destination: '10.1.0.0/16', gateway: '10.16.0.2' }],
			leaseSeconds: 600,
		};
		expect(options({ dhcp })).toEqual({
			dhcpV4: {
				dns_server: '{10.0.0.53, 10.0.0.54}',
				domain_name: '"lab.example"',
				ntp_server: '{10.0.0.123}',
				classless_static_route: '{10.1.0.0/16, 10.16.0.2, 0.0.0.0/0, 10.16.0.1}',
				lease_time: '600',
			},
			dhcpV6: { dns_server: '{fd00::53}', domain_search: '"lab.example"' },
			ra: { rdnss: 'fd00::53', dnssl: 'lab.example' },
			problems: [],
		});
	});

	it('leaves the default route to whoever names one', () => {
		const routes = [{ destination: '0.0.0.0/0', gateway: '10.16.0.9' }];
		expect(options({ dhcp: { routes } }).dhcpV4.classless_static_route).toBe('{0.0.0.0/0, 10.16.0.9}');
	});

	it('lets the texts of Kube-OVN win', () => {
		const { dhcpV4 } = options({ dhcp: { dns: ['10.0.0.53'], leaseSeconds: 600 }, dhcpV4Options: 'lease_time=60' });
		expect(dhcpV4).toEqual({ dns_server: '{10.0.0.53}', lease_time: '60' });
	});

	it('tells what cannot be told, and keeps the rest', () => {
		const routes = [
			{ destination: 'x', gateway: '10.16.0.2' },
			{ destination: 'fd01::/48', gateway: 'fd00::2' },
		];
		const { dhcpV4, problems } = options({ dhcp: { dns: ['x', '10.0.0.53'], domain: 'a b', ntp: ['fd00::1'], routes } });
		expect(dhcpV4).toEqual({ dns_server: '{10.0.0.53}' });
		expect(problems.map(({ field }) => field).sort()).toEqual([
			'spec.dhcp.dns[0]',
			'spec.dhcp.domain',
			'spec.dhcp.ntp',
			'spec.dhcp.routes[0]',
			'spec.dhcp.routes[1]',
		]);
	});

	it.each<[SubnetSpec, ...string[]]>([
		[{}],
		[{ cidrBlock: 'fd00::/64' }],
		[{ enableIPv6RA: true }, 'AdvertisementWithoutIPv6'],
		[{ ipv6RAConfigs: 'mtu=1400' }, 'AdvertisementWithoutIPv6'],
		[{ cidrBlock: 'fd00::/64', vlan: 'v' }, 'AdvertisementWithoutRouter'],
		[{ cidrBlock: 'fd00::/64', vlan: 'v', enableIPv6RA: false }],
		[{ cidrBlock: 'fd00::/64', vlan: 'v', logicalGateway: true }],
		[{ cidrBlock: 'fd00::/64', provider: 'macvlan.default' }, 'AdvertisementWithoutRouter'],
	])('%j: %s', (spec, ...expected) => {
		expect(reasons(options(spec))).toEqual(expected);
	});
});
