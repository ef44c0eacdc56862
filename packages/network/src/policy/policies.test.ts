import { describe, expect, it } from 'vitest';
import type { AdminNetworkPolicy } from '../api/admin-network-policy.ts';
import type { NetworkPolicySpec } from '../api/network-policy.ts';
import type { SecurityGroup } from '../api/security-group.ts';
import type { Subnet } from '../api/subnet.ts';
import { readAdminPolicy, readNetworkPolicy, readSecurityGroup, subnetRules } from './index.ts';

const network = (spec: NetworkPolicySpec) => readNetworkPolicy({ metadata: { name: 'p', namespace: 'n' }, spec });
const reasons = (problems: readonly { readonly reason: string; readonly field?: string }[]) =>
	problems.map(({ reason, field }) => `${reason} ${field}`);

describe('NetworkPolicy', () => {
	it('is about ingress, and about egress when it has rules for that, unless it says so itself', () => {
		const isolates = (spec: NetworkPolicySpec) => network(spec).reading.facts.isolates;
		expect(isolates({})).toEqual(['ingress']);
		expect(isolates({ egress: [{}] })).toEqual(['ingress', 'egress']);
		expect(isolates({ policyTypes: ['Egress'], ingress: [{}] })).toEqual(['egress']);
		expect(network({ policyTypes: ['Egress'], ingress: [{}] }).reading.facts.rules).toEqual([]);
	});

	it('takes exceptions out of a block', () => {
		const { reading } = network({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/30', except: ['10.0.0.1/32', '10.0.0.0/32'] } }] }] });
		expect(reading.facts.rules.map(({ peer }) => peer)).toEqual([{ kind: 'addresses', addresses: ['10.0.0.2/31'] }]);
	});

	it('lets nothing pass by what it cannot read, and keeps the rest', () => {
		const { reading, problems } = network({
			ingress: [
				{
					from: [
						{ ipBlock: { cidr: 'ten' } },
						{ ipBlock: { cidr: '10.0.0.0/24', except: ['10.1.0.0/24'] } },
						{},
						{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/24' } },
						{ podSelector: {} },
					],
					ports: [{ port: 0 }, { port: 90, endPort: 80 }, { port: 'http', endPort: 90 }, { port: 'a) || (ip' }, { port: 80 }],
				},
			],
		});
		expect(reasons(problems)).toEqual([
			'PortMalformed spec.ingress[0].ports[0]',
			'PortMalformed spec.ingress[0].ports[1]',
			'PortMalformed spec.ingress[0].ports[2]',
			'PortMalformed spec.ingress[0].ports[3]',
			'BlockMalformed spec.ingress[0].from[0]',
			'ExceptMalformed spec.ingress[0].from[1]',
			'PeerMalformed spec.ingress[0].from[2]',
			'PeerMalformed spec.ingress[0].from[3]',
		]);
		expect(reading.facts.rules.map(({ path, traffic }) => [path, traffic?.length])).toEqual([['spec.ingress[0].from[4]', 1]]);
	});
});

describe('AdminNetworkPolicy', () => {
	const policy = (
		name: string,
		spec: Partial<AdminNetworkPolicy['spec']>,
		creationTimestamp = '2026-01-01T00:00:00Z',
	): AdminNetworkPolicy => ({
		metadata: { name, creationTimestamp },
		spec: { priority: 5, subject: { namespaces: {} }, ...spec },
	});
	const read = (one: AdminNetworkPolicy, ...others: AdminNetworkPolicy[]) => readAdminPolicy(one, [one, ...others]);

	it('has no effect with a priority that has no place, or that an older one has', () => {
		expect(reasons(read(policy('a', { priority: 100 })).problems)).toEqual(['PriorityOutOfRange spec.priority']);
		const [old, young] = [policy('b', {}), policy('a', {}, '2026-02-01T00:00:00Z')];
		expect(read(old, young)).toMatchObject({ problems: [], reading: {} });
		expect(read(young, old)).toMatchObject({
			problems: [{ reason: 'PriorityTaken', why: expect.stringContaining('b, which was there before') }],
		});
		expect(read(young, old).reading).toBeUndefined();
	});

	it('says which peers are not understood, and how many rules are too many', () => {
		const to = [{ domainNames: ['example.org'] }, { networks: ['10.0.0.0/8', 'x'] }, {}, { namespaces: {} }];
		expect(reasons(read(policy('a', { egress: [{ action: 'Deny', to }] })).problems)).toEqual([
			'NotBuilt spec.egress[0].to[0]',
			'BlockMalformed spec.egress[0].to[1]',
			'PeerMalformed spec.egress[0].to[2]',
		]);
		const many = Array.from({ length: 101 }, () => ({ action: 'Deny' as const, from: [{ namespaces: {} }] }));
		const { reading, problems } = read(policy('a', { ingress: many }));
		expect([reading?.facts.rules.length, ...reasons(problems)]).toEqual([100, 'TooManyRules spec']);
		expect(reasons(read(policy('a', { subject: {} })).problems)).toEqual(['SubjectMalformed spec.subject']);
	});
});

describe('SecurityGroup', () => {
	const rule = { ipVersion: 'ipv4', protocol: 'tcp', priority: 1, remoteType: 'address', policy: 'allow' } as const;
	const read = (...ingressRules: NonNullable<SecurityGroup['spec']['ingressRules']>[number][]) =>
		readSecurityGroup({ metadata: { name: 'g' }, spec: { ingressRules } }, (name) => name === 'there');

	it('leaves out what it cannot read', () => {
		const { facts, problems } = read(
			{ ...rule, remoteAddress: 'fd00::1' },
			{ ...rule, portRangeMin: 90, portRangeMax: 80 },
			{ ...rule, policy: 'pass' },
			{ ...rule, localAddress: 'x' },
			{ ...rule, remoteType: 'securityGroup' },
			{ ...rule, remoteType: 'securityGroup', remoteSecurityGroup: 'gone' },
			{ ...rule, remoteType: 'securityGroup', remoteSecurityGroup: 'there' },
		);
		expect(reasons(problems)).toEqual([
			'RuleMalformed spec.ingressRules[0]',
			'PortMalformed spec.ingressRules[1]',
			'RuleMalformed spec.ingressRules[2]',
			'RuleMalformed spec.ingressRules[3]',
			'RuleMalformed spec.ingressRules[4]',
			'RemoteGroupUnknown spec.ingressRules[5]',
		]);
		expect(facts.rules.map(({ path }) => path)).toEqual(['spec.ingressRules[5]', 'spec.ingressRules[6]']);
	});

	it('says which rules are idle', () => {
		const { problems } = read(rule, { ...rule, policy: 'drop' }, { ...rule, priority: 2 }, rule);
		expect(problems.map(({ field, why }) => `${field}: ${why}`)).toEqual([
			'spec.ingressRules[1]: spec.ingressRules[0] says the opposite at priority 1; the drop counts',
			'spec.ingressRules[3]: spec.ingressRules[0] says the same',
		]);
	});
});

describe('Subnet', () => {
	it('keeps out expressions that OVN could not use, and orders the rest', () => {
		const acl = (priority: number, match: string, action = 'drop') => ({ direction: 'to-lport', priority, match, action });
		const spec = {
			private: true,
			allowSubnets: ['10.17.0.0/16', 'x', '10.18.0.1'],
			acls: [
				acl(1, 'ip4.src == 10.0.0.1'),
				acl(3, 'ip4.src == '),
				acl(2, 'ip4.src == 10.0.0.1) || (ip'),
				acl(2, 'ip4.src == $others'),
				acl(2, 'tcp', 'allow-stateless'),
				acl(2, 'udp'),
			],
		};
		const { acls, privateTo, problems } = subnetRules({ metadata: { name: 's' }, spec } as unknown as Subnet);
		expect(acls.map(({ path, action }) => `${path} ${action}`)).toEqual(['spec.acls[5] drop', 'spec.acls[4] allow', 'spec.acls[0] drop']);
		expect(privateTo).toEqual(['10.17.0.0/16', '10.18.0.1']);
		expect(reasons(problems)).toEqual([
			'AclMalformed spec.acls[1]',
			'AclMalformed spec.acls[2]',
			'AclMalformed spec.acls[3]',
			'BlockMalformed spec.allowSubnets[1]',
		]);
	});
});
