import { parseCidr } from '@tapestry/base';
import type { Subnet, Vpc } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { admit, sameSubnet } from './admit.ts';

const cluster: Vpc = { metadata: { name: 'ovn-cluster' }, spec: {} };
const subnet = (name: string, spec: Subnet['spec'], creationTimestamp = '2026-01-01T00:00:00Z'): Subnet => ({
	metadata: { name, creationTimestamp },
	spec,
});
const services = parseCidr('10.96.0.0/16');
const options = { mtu: 1442, defaultVpc: 'ovn-cluster', joinSubnet: 'join', serviceCidrs: services ? [services] : [] };
const reasons = (subnets: Subnet[], vpcs: Vpc[] = [cluster]) =>
	Object.fromEntries(
		[...admit(vpcs, subnets, options).refusedSubnets].map(([name, problems]) => [name, problems.map(({ reason }) => reason)]),
	);

describe('admit', () => {
	it('fills in what the user left out', () => {
		const { subnets } = admit([cluster], [subnet('s', { cidrBlock: '10.0.1.7/24,FD00::/64', excludeIps: ['10.0.1.9'] })], options);
		expect(subnets.get('s')?.facts).toMatchObject({
			vpc: 'ovn-cluster',
			mtu: 1442,
			isJoin: false,
			servesServices: true,
			blocks: [
				{ family: 4, cidr: '10.0.1.0/24', gateway: '10.0.1.1' },
				{ family: 6, cidr: 'fd00::/64', gateway: 'fd00::1' },
			],
		});
	});

	it('keeps the older of two subnets that overlap, whatever the order', () => {
		const old = subnet('z', { cidrBlock: '10.1.0.0/16' }, '2026-01-01T00:00:00Z');
		const young = subnet('a', { cidrBlock: '10.1.2.0/24' }, '2026-01-02T00:00:00Z');
		for (const order of [
			[old, young],
			[young, old],
		]) {
			expect(reasons(order)).toEqual({ a: ['CidrOverlap'] });
		}
		const tenant: Vpc = { metadata: { name: 'tenant' }, spec: {} };
		expect(reasons([old, subnet('a', { cidrBlock: '10.1.2.0/24', vpc: 'tenant' })], [cluster, tenant])).toEqual({});
	});

	it('refuses blocks of the Services in the default VPC only', () => {
		const tenant: Vpc = { metadata: { name: 'tenant' }, spec: {} };
		const subnets = [subnet('s', { cidrBlock: '10.96.3.0/24' }), subnet('t', { cidrBlock: '10.96.3.0/24', vpc: 'tenant' })];
		expect(reasons(subnets, [cluster, tenant])).toEqual({ s: ['CidrOverlap'] });
	});

	it('refuses what is not built rather than make something else of it', () => {
		expect(
			reasons([subnet('u', { cidrBlock: '10.1.0.0/16', vlan: 'v' }), subnet('p', { cidrBlock: '10.2.0.0/16', provider: 'x.default' })]),
		).toEqual({
			u: ['NotBuilt'],
			p: ['NotBuilt'],
		});
	});

	it('keeps a VPC in use although one of its routes cannot be read', () => {
		const staticRoutes = [
			{ cidr: '0.0.0.0/0', nextHopIP: '10.0.1.5' },
			{ cidr: 'junk', nextHopIP: '10.0.1.5' },
		];
		const policyRoutes = [{ priority: 10, match: 'ip4', action: 'reroute' as const, nextHopIP: 'junk' }];
		const { vpcs, vpcProblems } = admit(
			[{ metadata: { name: 'v' }, spec: { staticRoutes, policyRoutes, defaultSubnet: 'none' } }],
			[],
			options,
		);
		expect(vpcs.get('v')?.facts.staticRoutes).toEqual([
			{ cidr: '0.0.0.0/0', nextHop: '10.0.1.5', policy: 'dst-ip', table: '', isSymmetric: false, path: 'spec.staticRoutes[0]' },
		]);
		expect(vpcProblems.get('v')?.map(({ reason }) => reason)).toEqual([
			'RouteMalformed',
			'RouteMalformed',
			'NextHopUnreachable',
			'DefaultSubnetUnknown',
		]);
	});

	it('tells a change that matters from one that does not', () => {
		const one = (spec: Subnet['spec']) => {
			const found = admit([cluster], [subnet('s', { cidrBlock: '10.1.0.0/16', ...spec })], options).subnets.get('s');
			if (!found) throw new Error('refused');
			return found;
		};
		expect(sameSubnet(one({}), one({ gateway: '10.1.0.1' }))).toBe(true);
		expect(sameSubnet(one({}), one({ excludeIps: ['10.1.0.9'] }))).toBe(false);
	});
});

it('keeps a subnet in use although one of its options cannot be read, and tells of it', () => {
	const dhcpV4Options = 'lease_time=60,dns_server={10.0.0.1,10.0.0.2},wibble=1';
	const { subnets, subnetProblems, refusedSubnets } = admit([cluster], [subnet('s', { cidrBlock: '10.1.0.0/16', dhcpV4Options })], options);
	expect(subnets.get('s')?.facts.dhcpV4Options).toEqual({ lease_time: '60', dns_server: '{10.0.0.1, 10.0.0.2}' });
	expect(subnetProblems.get('s')?.map(({ reason }) => reason)).toEqual(['OptionUnknown']);
	expect(refusedSubnets.size).toBe(0);
});

it('answers DHCP of VMs unless the subnet says otherwise', () => {
	const facts = (spec: Subnet['spec']) =>
		admit([cluster], [subnet('s', { cidrBlock: '10.1.0.0/16', ...spec })], options).subnets.get('s')?.facts;
	expect(facts({})).toMatchObject({ dhcpFor: 'vms', advertises: true, tellsClusterDns: true });
	expect(facts({ enableDHCP: true, enableIPv6RA: true, dhcp: {} })).toMatchObject({
		dhcpFor: 'all',
		advertises: true,
		tellsClusterDns: true,
	});
	expect(facts({ enableDHCP: false, enableIPv6RA: false, dhcp: { dns: [] } })).toMatchObject({
		dhcpFor: 'nobody',
		advertises: false,
		tellsClusterDns: false,
	});
});
