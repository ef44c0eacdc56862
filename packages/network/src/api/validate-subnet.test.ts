import { describe, expect, it } from 'vitest';
import { defaultSubnet } from './default-subnet.ts';
import type { Subnet, SubnetSpec } from './subnet.ts';
import { validateSubnet } from './validate-subnet.ts';
import { validateVpc } from './validate-vpc.ts';
import type { Vpc } from './vpc.ts';

function subnet(name: string, spec: SubnetSpec, creationTimestamp = '2024-01-01T00:00:00Z'): Subnet {
	return { metadata: { name, creationTimestamp }, spec };
}
const vpc = (name: string, defaultSubnetName?: string): Vpc => ({
	metadata: { name },
	spec: defaultSubnetName === undefined ? {} : { defaultSubnet: defaultSubnetName },
});
const vpcs = [vpc('ovn-cluster'), vpc('other')];

function reasons(spec: SubnetSpec, others: readonly Subnet[] = []): string[] {
	return validateSubnet(defaultSubnet(subnet('net1', spec)), { others, vpcs }).map(({ reason, field }) => `${reason} ${field}`);
}

it.each<SubnetSpec>([
	{ cidrBlock: '10.0.0.0/24' },
	{ cidrBlock: '10.0.0.0/24,fd00::/64', protocol: 'Dual', mtu: 1280 },
	{ cidrBlock: '10.0.0.0/31' },
	{ cidrBlock: '10.0.0.0/24', mtu: 576 },
	{ cidrBlock: '10.0.0.0/24', vpc: 'other', excludeIps: ['10.0.0.0..10.0.0.255'] },
	{ cidrBlock: '192.168.101.0/24', provider: 'macvlaneip.default', vpc: '' },
])('accepts %j', (spec) => {
	expect(reasons(spec)).toEqual([]);
});

it.each<[SubnetSpec, ...string[]]>([
	[{}, 'CidrMissing spec.cidrBlock'],
	[{ cidrBlock: '10.0.0.0' }, 'CidrMalformed spec.cidrBlock'],
	[{ cidrBlock: '10.0.0.0/33' }, 'CidrMalformed spec.cidrBlock'],
	[{ cidrBlock: '10.0.0.0/24,10.0.1.0/24' }, 'CidrMalformed spec.cidrBlock'],
	[{ cidrBlock: '10.0.0.0/32' }, 'CidrTooSmall spec.cidrBlock'],
	[{ cidrBlock: 'fd00::/128' }, 'CidrTooSmall spec.cidrBlock'],
	[{ cidrBlock: '10.0.0.0/24', protocol: 'IPv6' }, 'ProtocolMismatch spec.protocol'],
	[{ cidrBlock: '10.0.0.0/24', gateway: '10.0.1.1' }, 'GatewayOutside spec.gateway'],
	[{ cidrBlock: '10.0.0.0/24', gateway: '10.0.0.1,fd00::1' }, 'GatewayOutside spec.gateway'],
	[{ cidrBlock: '10.0.0.0/24', gateway: '10.0.0.300' }, 'GatewayMalformed spec.gateway'],
	[{ cidrBlock: '10.0.0.0/24', gateway: '10.0.0.1,10.0.0.2' }, 'GatewayMalformed spec.gateway'],
	[{ cidrBlock: '10.0.0.0/24', gateway: '10.0.0.255' }, 'GatewayReserved spec.gateway'],
	[{ cidrBlock: '10.0.0.0/24', excludeIps: ['10.0.0.2', 'x'] }, 'ExcludeMalformed spec.excludeIps[1]'],
	[{ cidrBlock: '10.0.0.0/24', excludeIps: ['10.0.0.9..10.0.0.2'] }, 'ExcludeDescending spec.excludeIps[0]'],
	[{ cidrBlock: '10.0.0.0/24', excludeIps: ['10.0.0.9..10.0.1.2'] }, 'ExcludeOutside spec.excludeIps[1]'],
	[{ cidrBlock: '10.0.0.0/24', vpc: 'nowhere' }, 'VpcUnknown spec.vpc'],
	[{ cidrBlock: 'fd00::/64', mtu: 1279 }, 'MtuTooSmall spec.mtu'],
	[{ cidrBlock: '10.0.0.0/24', vpc: 'net1' }, 'NameClash metadata.name', 'VpcUnknown spec.vpc'],
	[
		{ cidrBlock: '10.0.0.0/24', gateway: 'x', mtu: 100, excludeIps: ['y'] },
		'GatewayMalformed spec.gateway',
		'ExcludeMalformed spec.excludeIps[0]',
	],
])('finds what is wrong with %j', (spec, ...expected) => {
	expect(reasons(spec)).toEqual(expected);
});

describe('overlap', () => {
	const older = subnet('older', { cidrBlock: '10.0.0.0/16,fd00::/64' }, '2023-01-01T00:00:00Z');

	it('is found in one VPC, in either family, and names the other subnet', () => {
		expect(reasons({ cidrBlock: '10.0.7.0/24' }, [older])).toEqual(['CidrOverlap spec.cidrBlock']);
		expect(reasons({ cidrBlock: 'fd00::/32' }, [older])).toEqual(['CidrOverlap spec.cidrBlock']);
		const [problem] = validateSubnet(subnet('net1', { cidrBlock: '10.0.7.0/24' }), { others: [older], vpcs });
		expect(problem?.why).toBe('it overlaps 10.0.0.0/16 of subnet older, which was there before');
	});

	it('is none between VPCs, with other blocks, or with itself', () => {
		expect(reasons({ cidrBlock: '10.0.7.0/24', vpc: 'other' }, [older])).toEqual([]);
		expect(reasons({ cidrBlock: '10.1.0.0/16' }, [older])).toEqual([]);
		expect(validateSubnet(older, { others: [older], vpcs })).toEqual([]);
	});

	it('leaves the older subnet alone, and decides ties by name', () => {
		const later = subnet('net1', { cidrBlock: '10.0.7.0/24' });
		expect(validateSubnet(older, { others: [later, older], vpcs })).toEqual([]);
		const twin = subnet('net2', { cidrBlock: '10.0.7.0/24' });
		const both = { others: [later, twin], vpcs };
		expect([validateSubnet(later, both).length, validateSubnet(twin, both).length]).toEqual([0, 1]);
	});
});

describe('validateVpc', () => {
	const subnets = [
		subnet('inside', { cidrBlock: '10.0.0.0/24', vpc: 'other' }),
		subnet('elsewhere', { cidrBlock: '10.0.0.0/24' }),
		subnet('macvlan', { cidrBlock: '10.0.0.0/24', provider: 'macvlan.default' }),
	];

	it.each([
		[undefined, []],
		['inside', []],
		['elsewhere', ['DefaultSubnetElsewhere']],
		['macvlan', ['DefaultSubnetElsewhere']],
		['missing', ['DefaultSubnetUnknown']],
	])('default subnet %s: %j', (name, expected) => {
		expect(validateVpc(vpc('other', name), { subnets, vpcs: [] }).map(({ reason }) => reason)).toEqual(expected);
	});
});
