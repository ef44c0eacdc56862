import { describe, expect, it } from 'vitest';
import { defaultSubnet } from './default-subnet.ts';
import type { Subnet, SubnetSpec } from './subnet.ts';
import { addressSpaces, vpcOf } from './subnet-addressing.ts';

const subnet = (spec: SubnetSpec): Subnet => ({ metadata: { name: 'net1' }, spec });

it('fills in what the user left out', () => {
	expect(defaultSubnet(subnet({ cidrBlock: '10.16.3.4/16,fd00:10:16::/112' })).spec).toEqual({
		cidrBlock: '10.16.0.0/16,fd00:10:16::/112',
		gateway: '10.16.0.1,fd00:10:16::1',
		excludeIps: ['10.16.0.1', 'fd00:10:16::1'],
		provider: 'ovn',
		vpc: 'ovn-cluster',
		gatewayType: 'distributed',
		protocol: 'Dual',
	});
});

it('keeps what the user wrote, in canonical form', () => {
	const spec = {
		vpc: 'test-vpc-1',
		cidrBlock: 'FD00::/120, 10.0.1.0/24',
		gateway: '10.0.1.254',
		excludeIps: ['10.0.1.8..10.0.1.9', '10.0.1.2', '10.0.1.3..10.0.1.7'],
		protocol: 'Dual' as const,
		natOutgoing: true,
	};
	expect(defaultSubnet(subnet(spec)).spec).toEqual({
		vpc: 'test-vpc-1',
		cidrBlock: '10.0.1.0/24,fd00::/120',
		gateway: '10.0.1.254,fd00::1',
		excludeIps: ['10.0.1.2..10.0.1.9', '10.0.1.254', 'fd00::1'],
		protocol: 'Dual',
		provider: 'ovn',
		natOutgoing: true,
	});
});

it('gives no VPC to a subnet for another CNI plugin', () => {
	const macvlan = defaultSubnet(subnet({ cidrBlock: '192.168.101.0/24', provider: 'macvlaneip.default' }));
	expect(macvlan.spec).toMatchObject({ gateway: '192.168.101.1', provider: 'macvlaneip.default' });
	expect(macvlan.spec.vpc ?? vpcOf(macvlan)).toBeUndefined();
	expect(vpcOf(defaultSubnet(subnet({ cidrBlock: '192.168.101.0/24', provider: 'second.default.ovn' })))).toBe('ovn-cluster');
});

describe('changes nothing more the second time, nor what it cannot read', () => {
	it.each<SubnetSpec>([
		{},
		{ cidrBlock: '10.0.0.0/24' },
		{ cidrBlock: 'fd00::1/64', excludeIps: ['fd00::9'] },
		{ cidrBlock: '10.0.0.0/33' },
		{ cidrBlock: '10.0.0.0/24,10.0.1.0/24' },
		{ cidrBlock: '10.0.0.0/24', gateway: 'x' },
		{ cidrBlock: '10.0.0.0/24', excludeIps: ['10.0.0.9..10.0.0.1'] },
	])('%j', (spec) => {
		const once = defaultSubnet(subnet(spec));
		expect(defaultSubnet(once)).toEqual(once);
		if (spec.gateway) expect(once.spec.gateway).toBe(spec.gateway);
		if (spec.excludeIps && addressSpaces(once).length === 0) expect(once.spec.excludeIps).toEqual(spec.excludeIps);
	});
});

it('leads to one allocator for each block', () => {
	const spaces = addressSpaces(defaultSubnet(subnet({ cidrBlock: '10.0.0.0/24,fd00::/64' })));
	expect(spaces.map(({ cidr, gateway }) => [cidr.family, gateway?.family])).toEqual([
		[4, 4],
		[6, 6],
	]);
	expect(addressSpaces(subnet({ cidrBlock: '10.0.0.0/24', gateway: 'x' }))).toEqual([]);
});
