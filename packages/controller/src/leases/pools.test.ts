import { annotations, type IpPool, type Subnet } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { admit } from '../admission/admit.ts';
import { chooseSubnet, type Networks } from './choose-subnet.ts';
import type { Claimant } from './claimant.ts';
import { requestOf } from './pools.ts';
import { LeaseRegistry } from './registry.ts';

const created = (day: number) => `2026-01-0${day}T00:00:00Z`;
const subnets: Subnet[] = [
	{ metadata: { name: 'net', creationTimestamp: created(1) }, spec: { cidrBlock: '10.1.0.0/24,fd00:1::/120' } },
	{ metadata: { name: 'other', creationTimestamp: created(1) }, spec: { cidrBlock: '10.2.0.0/24' } },
];
const pool = (name: string, spec: Partial<IpPool['spec']> & { ips: string[] }, day = 1): IpPool => ({
	metadata: { name, creationTimestamp: created(day) },
	spec: { subnet: 'net', ...spec },
});
const pools = [
	pool('free', { ips: ['10.1.0.2..10.1.0.9', 'fd00:1::20/124'] }),
	pool('bound', { ips: ['10.1.0.20', '10.1.0.16/31'], namespaces: ['shop'] }),
	pool('elsewhere', { subnet: 'other', ips: ['10.2.0.7'] }),
	pool('late', { ips: ['10.1.0.9..10.1.0.11'] }, 2),
	pool('lost', { subnet: 'none', ips: ['10.1.0.99'] }),
];
const options = { mtu: 1442, defaultVpc: 'ovn-cluster', joinSubnet: 'join', serviceCidrs: [] };
const admission = admit([{ metadata: { name: 'ovn-cluster' }, spec: {} }], subnets, options, pools);
const networks: Networks = {
	subnet: (name) => admission.subnets.get(name),
	subnets: () => admission.subnets.values(),
	refusal: () => undefined,
	pool: (name) => admission.pools.get(name),
	pools: () => admission.pools.values(),
	vpc: () => undefined,
	vpcs: () => [],
	namespace: (name) => ({ labels: {}, annotations: name === 'says' ? { [annotations.ipPool]: 'elsewhere' } : {} }),
	defaultSubnet: 'net',
	joinSubnet: 'join',
};

function open() {
	const ignore = () => {};
	const registry = new LeaseRegistry({ isInstalled: () => false, onHeld: ignore, onLost: ignore, onFreed: ignore });
	for (const [name, subnet] of admission.subnets) registry.setSubnet(name, subnet);
	let count = 0;
	return (namespace: string, asked: Record<string, string> = {}, ordinal?: number): string => {
		const name = `p${count++}`;
		const base = {
			kind: 'Pod' as const,
			namespace,
			name,
			uid: name,
			node: 'n1',
			specMac: undefined,
			ports: [],
			labels: {},
			isLeaving: false,
		};
		const claimant: Claimant = { ...base, annotations: asked, ordinal };
		const request = requestOf(claimant, networks);
		const { v4, v6 } = registry.reserve(name, claimant, chooseSubnet(claimant, request, networks), request);
		return [v4, v6].filter((ip) => ip !== undefined).join(' ');
	};
}
const from = (name: string) => ({ [annotations.ipPool]: name });

describe('pools', () => {
	it('are kept from everybody else, and the older has what two name', () => {
		expect(open()('any')).toBe('10.1.0.12 fd00:1::2');
		expect(admission.pools.get('late')?.ranges.map(({ first, last }) => last - first + 1n)).toEqual([2n]);
		const reasons = [...admission.poolProblems].map(([name, [problem]]) => `${name} ${problem?.reason}`);
		expect(reasons.sort()).toEqual(['late PoolOverlap', 'lost SubnetUnknown']);
	});

	it('give to those who name them, in the families that they have', () => {
		const give = open();
		expect(give('any', from('free'))).toBe('10.1.0.2 fd00:1::20');
		expect(give('any', from('late'))).toBe('10.1.0.10 fd00:1::2');
		expect(give('any', from('elsewhere'))).toBe('10.2.0.7');
		expect(() => give('any', from('elsewhere'))).toThrow(/no free address/);
	});

	it('give to namespaces that are bound to them or that name them, and to no others', () => {
		const give = open();
		expect([give('shop'), give('shop'), give('shop')].map((text) => text.split(' ')[0])).toEqual(['10.1.0.16', '10.1.0.17', '10.1.0.20']);
		expect(() => give('shop')).toThrow(/no free address/);
		expect(give('says')).toBe('10.2.0.7');
		expect(() => give('any', from('bound'))).toThrow(/it is for namespaces shop/);
		expect(give('shop', { [annotations.ipAddress]: '10.1.0.200' })).toMatch(/^10\.1\.0\.200 /);
		expect(give('shop', { [annotations.logicalSwitch]: 'other' })).toBe('10.2.0.2');
	});

	it('give the pods of a StatefulSet the address at their place, in the user’s order', () => {
		const give = open();
		expect([0, 1, 2].map((ordinal) => give('shop', {}, ordinal).split(' ')[0])).toEqual(['10.1.0.20', '10.1.0.16', '10.1.0.17']);
		expect(() => give('shop', {}, 3)).toThrow(/number 3/);
		expect(give('any', from('free'), 1)).toBe('10.1.0.3 fd00:1::21');
	});

	it.each([
		['none', {}, /no IPPool of this name/],
		['lost', {}, /no IPPool of this name/],
		['free', { [annotations.logicalSwitch]: 'other' }, /part of subnet net/],
	])('refuse %s %j', (name, more, message) => {
		expect(() => open()('any', { ...from(name), ...more })).toThrow(message);
	});
});
