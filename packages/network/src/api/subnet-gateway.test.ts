import { describe, expect, it } from 'vitest';
import { natRuleId, readNatRules } from './nat-rules.ts';
import type { Subnet, SubnetSpec } from './subnet.ts';
import { heldBlockProblems, subnetChangeProblems, withFormerBlocks } from './subnet-change.ts';
import { readGateway } from './subnet-gateway.ts';
import { subnetNotes } from './subnet-notes.ts';

const subnet = (spec: SubnetSpec, status?: Subnet['status']): Subnet => ({
	metadata: { name: 's', creationTimestamp: '2026-01-02T00:00:00Z' },
	spec: { cidrBlock: '10.1.0.0/24', ...spec },
	...(status ? { status } : {}),
});
const reasons = (spec: SubnetSpec, others: readonly Subnet[] = []) => subnetNotes(subnet(spec), others).map(({ reason }) => reason);

describe('gateway', () => {
	it('is distributed unless nodes are named', () => {
		expect(readGateway(subnet({}))).toEqual({ kind: 'distributed' });
		expect(readGateway(subnet({ gatewayType: 'centralized', gatewayNode: 'n2, n1:172.30.0.1,n2', enableEcmp: true }))).toEqual({
			kind: 'centralized',
			nodes: ['n2', 'n1'],
			selectors: [],
			isShared: true,
		});
		expect(readGateway(subnet({ vpc: 'tenant' }))).toBeUndefined();
		expect(readGateway({ metadata: { name: 'join' }, spec: {} })).toBeUndefined();
	});

	it.each<[string, SubnetSpec, string[]]>([
		['good', { gatewayType: 'centralized', gatewayNodeSelectors: [{ matchLabels: { a: 'b' } }] }, []],
		['of no kind', { gatewayType: 'centralised' }, ['GatewayTypeUnknown']],
		['without nodes', { gatewayType: 'centralized' }, ['GatewayNodeMissing']],
		['in a tenant’s VPC', { gatewayType: 'centralized', gatewayNode: 'n1', vpc: 'tenant' }, ['GatewayContradiction']],
		['nodes that do not count', { gatewayNode: 'n1' }, ['GatewayContradiction']],
		['two ways out', { natOutgoing: true, externalEgressGateway: '192.0.2.1' }, ['EgressContradiction']],
		['sharing that does not count', { gatewayType: 'distributed', enableEcmp: true }, ['GatewayContradiction']],
	])('%s', (_, spec, expected) => {
		expect(reasons(spec)).toEqual(expected);
	});
});

describe('rules of natOutgoing', () => {
	const rules = (...natOutgoingPolicyRules: NonNullable<SubnetSpec['natOutgoingPolicyRules']>) => ({
		natOutgoing: true,
		natOutgoingPolicyRules,
	});

	it('are read by family, with overlapping blocks merged', () => {
		const match = { srcIPs: '10.1.0.0/25,10.1.0.5,fd00::/64', dstIPs: '' };
		const read = readNatRules(subnet(rules({ match, action: 'forward' })));
		expect(read.map(({ family, sources, destinations }) => [family, sources?.length, destinations])).toEqual([
			[4, 1, undefined],
			[6, 1, undefined],
		]);
	});

	it.each<[string, SubnetSpec, string[]]>([
		['good', rules({ match: { dstIPs: '172.30.0.0/24' }, action: 'forward' }, { action: 'nat' }), []],
		['malformed', rules({ match: { srcIPs: 'junk' }, action: 'nat' }), ['NatRuleMalformed']],
		['two families', rules({ match: { srcIPs: '10.1.0.1', dstIPs: 'fd00::1' }, action: 'nat' }), ['NatRuleMalformed']],
		['without nat', { natOutgoingPolicyRules: [{ action: 'nat' }] }, ['NatRulesWithoutNat']],
	])('%s', (_, spec, expected) => {
		expect(reasons(spec)).toEqual(expected);
	});

	it('have a name that stays', () => {
		expect(natRuleId({ match: { srcIPs: '10.1.0.1' }, action: 'nat' })).toBe(
			natRuleId({ match: { srcIPs: '10.1.0.1', dstIPs: '' }, action: 'nat' }),
		);
		expect(natRuleId({ action: 'nat' })).not.toBe(natRuleId({ action: 'forward' }));
	});
});

it('has one default for each VPC, the older', () => {
	const other = { metadata: { name: 'z', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { default: true } };
	expect(reasons({ default: true }, [other])).toEqual(['DefaultTwice']);
	expect(subnetNotes(other, [subnet({ default: true })])).toEqual([]);
	expect(reasons({ default: true, vpc: 'tenant' }, [other])).toEqual([]);
});

describe('changed blocks', () => {
	const leases = [
		{ name: 'a.ns', addresses: ['10.1.0.5', 'fd00::5'] },
		{ name: 'b.ns', addresses: ['10.1.0.200'] },
	];

	it.each([
		['10.1.0.0/23', []],
		['10.1.0.0/25', ['10.1.0.200']],
		['10.2.0.0/24', ['10.1.0.5', '10.1.0.200']],
		['junk', []],
	])('%s is held by %j', (cidrBlock, holders) => {
		const v4 = leases.map(({ name, addresses }) => ({ name, addresses: addresses.slice(0, 1) }));
		const [problem] = heldBlockProblems(subnet({ cidrBlock }), v4);
		expect(problem?.reason).toBe(holders.length > 0 ? 'CidrHeld' : undefined);
		for (const holder of holders) expect(problem?.why).toContain(holder);
	});

	it('cannot take away a family, or the VPC', () => {
		const before = subnet({ cidrBlock: '10.1.0.0/24,fd00::/64' });
		const problems = subnetChangeProblems(before, subnet({ vpc: 'tenant' }), leases);
		expect(problems.map(({ reason }) => reason)).toEqual(['FieldImmutable', 'CidrHeld']);
	});

	it('leave the former ones in force, with what of the new spec fits them', () => {
		const spec = { cidrBlock: '10.2.0.0/24', gateway: '10.2.0.1', excludeIps: ['10.2.0.1', '10.1.0.9'], mtu: 1300 };
		const former = withFormerBlocks(subnet(spec, { cidrBlock: '10.1.0.0/24', gateway: '10.1.0.1' }));
		expect(former?.spec).toEqual({ cidrBlock: '10.1.0.0/24', gateway: '10.1.0.1', excludeIps: ['10.1.0.9'], mtu: 1300 });
		expect(withFormerBlocks(subnet(spec))).toBeUndefined();
	});
});
