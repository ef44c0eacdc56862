import { parseCidr } from '@tapestry/base';
import { annotations, type Subnet, type Vpc } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { type AdmissionRequest, reviewObject } from './review.ts';

const services = parseCidr('10.96.0.0/16');
const options = { defaultVpc: 'ovn-cluster', serviceCidrs: services ? [services] : [] };
const subnet = (name: string, spec: Subnet['spec'], more: Partial<Subnet['metadata']> = {}): Subnet => ({
	apiVersion: 'kubeovn.io/v1',
	kind: 'Subnet',
	metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z', ...more },
	spec,
});
const vpc = (name: string, spec: Vpc['spec'] = {}): Vpc => ({ apiVersion: 'kubeovn.io/v1', kind: 'Vpc', metadata: { name }, spec });
const review = (object: Subnet | Vpc, oldObject?: Subnet | Vpc, subnets: readonly Subnet[] = []) =>
	reviewObject(
		{
			uid: '1',
			resource: { group: 'kubeovn.io', resource: `${object.kind?.toLowerCase()}s` },
			operation: oldObject ? 'UPDATE' : 'CREATE',
			object,
			oldObject: oldObject ?? null,
		},
		{ subnets, vpcs: [vpc('ovn-cluster')], adminPolicies: [], ipPools: [], leases: [] },
		options,
	);

describe('reviewObject', () => {
	it('refuses with what, why and how to mend it', () => {
		// The name and the second of creation do not save the newcomer.
		const there = subnet('z', { cidrBlock: '10.1.0.0/16' });
		expect(review(subnet('a', { cidrBlock: '10.1.2.0/24' }), undefined, [there])).toEqual({
			allowed: false,
			status: {
				code: 403,
				reason: 'Forbidden',
				message:
					'10.1.2.0/24 cannot be used in VPC ovn-cluster: it overlaps 10.1.0.0/16 of subnet z, which was there before (fix: use a block of its own, or another VPC, or delete subnet z)',
			},
		});
	});

	it.each<[string, Subnet['spec'], string]>([
		['no block', { cidrBlock: '10.1.0.0' }, 'the prefix length is missing'],
		['the block of the Services', { cidrBlock: '10.96.1.0/24' }, 'where the Services are'],
		['a gateway outside', { cidrBlock: '10.1.0.0/24', gateway: '10.2.0.1' }, 'it is not in 10.1.0.0/24'],
		['a range that descends', { cidrBlock: '10.1.0.0/24', excludeIps: ['10.1.0.9..10.1.0.2'] }, 'write 10.1.0.2..10.1.0.9'],
	])('refuses %s', (_, spec, message) => {
		expect(review(subnet('s', spec)).status?.message).toContain(message);
	});

	it('tells of all faults at once', () => {
		const { status } = review(subnet('s', { cidrBlock: '10.1.0.0/24', gateway: '10.2.0.1', excludeIps: ['x'] }));
		expect(status?.message.split('; ')).toHaveLength(2);
	});

	it.each<[string, Subnet | Vpc]>([
		['a VPC that may yet come', subnet('s', { cidrBlock: '10.1.0.0/16', vpc: 'later' })],
		['a default subnet that may yet come', vpc('v', { defaultSubnet: 'later' })],
		['what is not built', subnet('s', { cidrBlock: '10.1.0.0/16', vlan: 'v' })],
	])('lets %s wait in a condition', (_, object) => {
		expect(review(object)).toEqual({ allowed: true });
	});

	it('refuses a route that cannot be read', () => {
		expect(review(vpc('v', { staticRoutes: [{ cidr: 'junk', nextHopIP: '10.0.0.1' }] })).status?.message).toContain(
			'static route to "junk"',
		);
	});

	it('refuses a change for what it makes worse only', () => {
		const bad = subnet('s', { cidrBlock: '10.1.0.0/16' });
		const there = subnet('z', { cidrBlock: '10.1.0.0/24' });
		const withGateway = subnet('s', { cidrBlock: '10.1.0.0/16', gateway: '10.1.0.9' });
		expect(review(withGateway, bad, [there, bad])).toEqual({ allowed: true });
		expect(review(subnet('s', { cidrBlock: '10.1.0.0/16', gateway: '10.9.0.9' }), bad, [there, bad])).toMatchObject({ allowed: false });
		// An older subnet may not take a younger one's addresses by growing.
		expect(review(subnet('s', { cidrBlock: '10.0.0.0/15' }), subnet('s', { cidrBlock: '10.0.0.0/16' }), [there])).toMatchObject({
			allowed: false,
		});
	});

	it('lets what was wrong before be labelled, finalized and deleted', () => {
		const bad = subnet('s', { cidrBlock: 'junk' });
		expect(review(subnet('s', { cidrBlock: 'junk' }, { labels: { a: 'b' } }), bad)).toEqual({ allowed: true });
		expect(review(subnet('s', { cidrBlock: 'junk2' }, { deletionTimestamp: '2026-01-02T00:00:00Z' }), bad)).toEqual({ allowed: true });
	});

	it('refuses a rule of a SecurityGroup that cannot be read, and lets one wait for another group', () => {
		const group = (rule: object) => ({
			uid: '1',
			resource: { group: 'kubeovn.io', resource: 'security-groups' },
			operation: 'CREATE',
			object: { metadata: { name: 'g' }, spec: { ingressRules: [{ ipVersion: 'ipv4', protocol: 'all', policy: 'allow', ...rule }] } },
		});
		const nothing = { subnets: [], vpcs: [], adminPolicies: [], ipPools: [], leases: [] };
		const bad = reviewObject(group({ remoteType: 'address', remoteAddress: 'junk' }), nothing, options);
		expect(bad.status?.message).toContain('the rule has no effect');
		const later = group({ remoteType: 'securityGroup', remoteSecurityGroup: 'later' });
		expect(reviewObject(later, nothing, options)).toEqual({ allowed: true });
	});

	it('refuses a SwitchLBRule that cannot be read, and lets one wait for its namespace', () => {
		const rule = (spec: object) => ({
			uid: '1',
			resource: { group: 'kubeovn.io', resource: 'switch-lb-rules' },
			operation: 'CREATE',
			object: {
				metadata: { name: 'r' },
				spec: { vip: '192.0.2.9', namespace: 'later', selector: ['a: b'], ports: [{ port: 80 }], ...spec },
			},
		});
		const nothing = { subnets: [], vpcs: [], adminPolicies: [], ipPools: [], leases: [] };
		expect(reviewObject(rule({ vip: 'junk' }), nothing, options).status?.message).toContain('"junk" is not an address');
		expect(reviewObject(rule({ ports: [] }), nothing, options).status?.message).toContain('it has no ports');
		expect(reviewObject(rule({}), nothing, options)).toEqual({ allowed: true });
	});

	it('refuses a NetworkPolicy as Kubernetes does', () => {
		const spec = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/24', except: ['10.1.0.0/24'] } }] }] };
		const object = { metadata: { name: 'np', namespace: 'default' }, spec };
		const resource = { group: 'networking.k8s.io', resource: 'networkpolicies' };
		const nothing = { subnets: [], vpcs: [], adminPolicies: [], ipPools: [], leases: [] };
		const answer = reviewObject({ uid: '1', resource, operation: 'CREATE', object }, nothing, options);
		expect(answer.status?.message).toContain('10.1.0.0/24 is not a part of 10.0.0.0/24');
	});

	it('lets a block grow, and does not take it from those who use it', () => {
		const stored = { metadata: { name: 's', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { cidrBlock: '10.1.0.0/24' } };
		const leases = [{ metadata: { name: 'web.d' }, spec: { subnet: 's', v4IpAddress: '10.1.0.200' } }];
		const around = { subnets: [stored], vpcs: [{ metadata: { name: 'ovn-cluster' }, spec: {} }], adminPolicies: [], ipPools: [], leases };
		const change = (spec: object) => {
			const resource = { group: 'kubeovn.io', resource: 'subnets' };
			const object = { ...stored, spec: { ...stored.spec, ...spec } };
			return reviewObject({ uid: '1', resource, operation: 'UPDATE', object, oldObject: stored }, around, options);
		};
		expect(change({ cidrBlock: '10.1.0.0/16' })).toEqual({ allowed: true });
		expect(change({ cidrBlock: '10.1.0.0/25' }).status?.message).toContain('web.d (10.1.0.200)');
		expect(change({ vpc: 'other' }).allowed).toBe(false);
		expect(change({ mtu: 1400 })).toEqual({ allowed: true });
	});

	describe('of traffic', () => {
		const nothing = { subnets: [], vpcs: [], adminPolicies: [], ipPools: [], leases: [] };
		const asks = (rate: string) => ({ annotations: { [annotations.ingressRate]: rate } });
		const pod = (rate: string, more: object = {}) => ({ metadata: { name: 'p', namespace: 'default', ...asks(rate), ...more } });
		const answer = (group: string, plural: string, object: object, oldObject?: object) => {
			const operation = oldObject ? 'UPDATE' : 'CREATE';
			const request = { uid: '1', resource: { group, resource: plural }, operation, object, oldObject: oldObject ?? null };
			return reviewObject(request as AdmissionRequest, nothing, options);
		};

		it('refuses what cannot be read, of a pod, an instance and a template', () => {
			const why = 'ovn.kubernetes.io/ingress_rate cannot be "-1": it is not a number';
			expect(answer('', 'pods', pod('-1')).status?.message).toContain(why);
			expect(answer('kubevirt.io', 'virtualmachineinstances', pod('-1')).status?.message).toContain(why);
			const vm = { metadata: { name: 'vm' }, spec: { template: { metadata: asks('-1'), spec: { domain: {} } } } };
			expect(answer('kubevirt.io', 'virtualmachines', vm).status?.message).toContain(why);
			expect(answer('', 'pods', pod('10'))).toEqual({ allowed: true });
			expect(answer('', 'pods', pod('-1'), pod('10')).allowed).toBe(false);
		});

		it('lets pass what was wrong before, what is only not built, and what a machine hands down', () => {
			expect(answer('', 'pods', pod('-1', { labels: { a: 'b' } }), pod('-1'))).toEqual({ allowed: true });
			const disturbed = { metadata: { name: 'p', annotations: { 'ovn.kubernetes.io/latency': '3' } } };
			expect(answer('', 'pods', disturbed)).toEqual({ allowed: true });
			expect(answer('', 'pods', pod('-1', { labels: { 'kubevirt.io': 'virt-launcher' } }))).toEqual({ allowed: true });
			const ownerReferences = [{ kind: 'VirtualMachine', name: 'vm' }];
			expect(answer('kubevirt.io', 'virtualmachineinstances', pod('-1', { ownerReferences }))).toEqual({ allowed: true });
		});
	});

	it('has nothing to say of other kinds', () => {
		const object = { metadata: { name: 'p' } };
		const request = { uid: '1', resource: { group: '', resource: 'configmaps' }, operation: 'CREATE', object };
		expect(reviewObject(request, { subnets: [], vpcs: [], adminPolicies: [], ipPools: [], leases: [] }, options)).toEqual({
			allowed: true,
		});
	});
});
