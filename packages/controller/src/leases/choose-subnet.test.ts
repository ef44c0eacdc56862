import { annotations, type Subnet, type Vpc } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import type { Admission } from '../admission/admission.ts';
import { admit } from '../admission/admit.ts';
import { chooseSubnet, type NamespaceInfo, type Networks } from './choose-subnet.ts';
import type { Claimant } from './claimant.ts';
import { addressRequest } from './request.ts';

const vpcs: Vpc[] = [
	{ metadata: { name: 'ovn-cluster' }, spec: {} },
	{ metadata: { name: 'tenant' }, spec: { namespaces: ['blue', 'empty'] } },
	{ metadata: { name: 'chooses' }, spec: { namespaces: ['red'], defaultSubnet: 'red2' } },
	{ metadata: { name: 'bare' }, spec: { namespaces: ['bare'] } },
];
const subnet = (name: string, cidrBlock: string, spec: Subnet['spec'] = {}): Subnet => ({
	metadata: { name },
	spec: { cidrBlock, ...spec },
});
const subnets: Subnet[] = [
	subnet('ovn-default', '10.16.0.0/16', { default: true }),
	subnet('join', '100.64.0.0/16'),
	subnet('bound1', '10.1.0.0/24', { namespaces: ['bound'] }),
	subnet('bound2', '10.2.0.0/24', { namespaces: ['bound'] }),
	subnet('labelled', '10.3.0.0/24', { namespaceSelectors: [{ matchLabels: { team: 'net' } }] }),
	subnet('blue1', '10.0.0.0/24', { vpc: 'tenant' }),
	subnet('red1', '10.0.0.0/24', { vpc: 'chooses' }),
	subnet('red2', '10.0.1.0/24', { vpc: 'chooses' }),
	subnet('wrong', '10.99.0.0'),
];
const options = { mtu: 1442, defaultVpc: 'ovn-cluster', joinSubnet: 'join', serviceCidrs: [] };
const admission: Admission = admit(vpcs, subnets, options);
const namespaces: Readonly<Record<string, NamespaceInfo>> = {
	team: { labels: { team: 'net' }, annotations: {} },
	annotated: { labels: {}, annotations: { [annotations.logicalSwitch]: 'bound2' } },
};
const networks: Networks = {
	subnet: (name) => admission.subnets.get(name),
	subnets: () => admission.subnets.values(),
	refusal: (name) => admission.refusedSubnets.get(name),
	pool: () => undefined,
	pools: () => [],
	vpc: (name) => admission.vpcs.get(name),
	vpcs: () => admission.vpcs.values(),
	namespace: (name) => namespaces[name],
	defaultSubnet: 'ovn-default',
	joinSubnet: 'join',
};

function choose(namespace: string, asked: Record<string, string> = {}, more: Partial<Claimant> = {}): string {
	const claimant: Claimant = {
		kind: 'Pod',
		namespace,
		name: 'p',
		uid: 'u',
		node: 'n1',
		annotations: asked,
		specMac: undefined,
		ports: [],
		ordinal: undefined,
		labels: {},
		isLeaving: false,
		...more,
	};
	return chooseSubnet(claimant, addressRequest(claimant), networks).facts.name;
}

describe('chooseSubnet', () => {
	it.each([
		['the default subnet', 'any', {}, 'ovn-default'],
		['the subnet that the pod names', 'any', { [annotations.logicalSwitch]: 'bound2' }, 'bound2'],
		['the first subnet bound to the namespace', 'bound', {}, 'bound1'],
		['the bound subnet that has the address', 'bound', { [annotations.ipAddress]: '10.2.0.9' }, 'bound2'],
		['the bound subnet that has an address of the pool', 'bound', { [annotations.ipPool]: '10.2.0.8,10.2.0.9' }, 'bound2'],
		['a subnet bound by label', 'team', {}, 'labelled'],
		['a subnet that the namespace names', 'annotated', {}, 'bound2'],
		['a subnet of the VPC of the namespace', 'blue', {}, 'blue1'],
		['the default subnet of the VPC of the namespace', 'red', {}, 'red2'],
	])('takes %s', (_, namespace, asked, expected) => {
		expect(choose(namespace, asked)).toBe(expected);
	});

	it('connects nodes to the join network only', () => {
		expect(choose('', { [annotations.logicalSwitch]: 'bound1' }, { kind: 'Node' })).toBe('join');
		expect(() => choose('any', { [annotations.logicalSwitch]: 'join' })).toThrow(/it connects the nodes/);
	});

	it('says why it cannot', () => {
		expect(() => choose('any', { [annotations.logicalSwitch]: 'none' })).toThrow(/there is no Subnet none/);
		expect(() => choose('any', { [annotations.logicalSwitch]: 'wrong' })).toThrow(/wrong.*not in use.*the prefix length is missing/);
		expect(() => choose('any', { [annotations.logicalSwitch]: 'blue1' })).toThrow(/VPC tenant is for namespaces blue, empty/);
		expect(() => choose('bare')).toThrow(/VPC bare, which has no subnet in use/);
	});
});

describe('a subnet that is being deleted', () => {
	const leaving = (...names: string[]): Networks => {
		const all = admit(
			vpcs,
			subnets.map((one) => (names.includes(one.metadata.name) ? { ...one, metadata: { ...one.metadata, deletionTimestamp: 'now' } } : one)),
			options,
		);
		return { ...networks, subnet: (name) => all.subnets.get(name), subnets: () => all.subnets.values() };
	};
	const pod = { kind: 'Pod', namespace: 'bound', name: 'p', annotations: {}, specMac: undefined } as unknown as Claimant;
	const chosen = (seen: Networks) => chooseSubnet(pod, addressRequest(pod), seen).facts.name;

	it('leaves its namespaces to their other subnets', () => {
		expect(chosen(leaving('bound1'))).toBe('bound2');
	});

	it('gives nothing when there is no other, rather than put the pod elsewhere', () => {
		expect(() => chosen(leaving('bound1', 'bound2'))).toThrow(/bound1 gives no more addresses: it is being deleted/);
	});
});

describe('addressRequest', () => {
	const request = (asked: Record<string, string>, more: Partial<Claimant> = {}) =>
		addressRequest({ annotations: asked, specMac: undefined, ordinal: undefined, ...more } as Claimant);

	it('gives each pod of a StatefulSet its own entry of the list, and the rest any', () => {
		const asked = { [annotations.ipPool]: '10.0.0.5,10.0.0.6' };
		expect(request(asked, { ordinal: 1 }).addresses).toMatchObject({ kind: 'these', ips: [{ value: 0x0a000006n }] });
		expect(request(asked, { ordinal: 2 }).addresses).toMatchObject({ kind: 'oneOf' });
		expect(request(asked).addresses).toMatchObject({ kind: 'oneOf' });
	});

	it("takes the MAC address of the VM's spec or of the annotation, not two", () => {
		expect(request({}, { specMac: '02:00:00:00:00:01' }).mac).toBe('02:00:00:00:00:01');
		expect(request({ [annotations.macAddress]: '02:00:00:00:00:02' }).mac).toBe('02:00:00:00:00:02');
		expect(() => request({ [annotations.macAddress]: '02:00:00:00:00:02' }, { specMac: '02:00:00:00:00:01' })).toThrow(/two MAC addresses/);
	});

	it('refuses what it cannot read', () => {
		expect(() => request({ [annotations.ipAddress]: '10.16.0' })).toThrow(/ip_address/);
		expect(() => request({ [annotations.macAddress]: '01:00:00:00:00:01' })).toThrow(/group address/);
		expect(request({ [annotations.ipPool]: 'some-pool' }).addresses).toEqual({ kind: 'named', pool: 'some-pool' });
	});
});
