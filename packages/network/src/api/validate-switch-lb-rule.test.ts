import { parseCidr } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import type { SwitchLbRule } from './service-kinds.ts';
import type { Subnet } from './subnet.ts';
import { rulePortName, ruleSelector, validateSwitchLbRule } from './validate-switch-lb-rule.ts';
import type { Vip } from './vip.ts';

const services = parseCidr('10.96.0.0/16');
const subnet = (name: string, cidrBlock: string, spec: Partial<Subnet['spec']> = {}): Subnet => ({
	metadata: { name },
	spec: { cidrBlock, ...spec },
});
const subnets = [
	subnet('pods', '10.16.0.0/16,fd00:10:16::/112', { excludeIps: ['10.16.9.0..10.16.9.9'] }),
	subnet('blue', '10.16.0.0/16', { vpc: 'blue', namespaces: ['tenant'], excludeIps: ['10.16.8.8'] }),
];
const vip: Vip = { metadata: { name: 'v' }, spec: { subnet: 'pods', type: 'switch_lb_vip' }, status: { v4ip: '10.16.0.50' } };
const rule = (spec: Partial<SwitchLbRule['spec']>, name = 'r', created = '2'): SwitchLbRule => ({
	metadata: { name, creationTimestamp: created },
	spec: { vip: '192.0.2.9', namespace: 'shop', selector: ['app: web'], ports: [{ name: 'http', port: 80 }], ...spec },
});
const problems = (one: SwitchLbRule, others: readonly SwitchLbRule[] = []) =>
	validateSwitchLbRule(one, {
		others,
		subnets,
		vpcs: [],
		vips: [vip],
		namespaces: new Set(['shop', 'tenant']),
		serviceCidrs: services ? [services] : [],
	});
const reasons = (spec: Partial<SwitchLbRule['spec']>) => problems(rule(spec)).map(({ reason }) => reason);

describe('a SwitchLBRule', () => {
	it('may have an address outside, or one that the subnet or a Vip keeps free', () => {
		expect(reasons({})).toEqual([]);
		expect(reasons({ vip: '192.0.2.9,fd00:192::9' })).toEqual([]);
		expect(reasons({ vip: '10.16.9.3' })).toEqual([]);
		expect(reasons({ vip: '10.16.0.50' })).toEqual([]);
		expect(reasons({ vip: '10.16.8.8', namespace: 'tenant' })).toEqual([]);
	});

	it.each<[string, Partial<SwitchLbRule['spec']>, string]>([
		['no address', { vip: '' }, 'InvalidVip'],
		['a malformed address', { vip: '192.0.2.9,300.1.1.1' }, 'InvalidVip'],
		['two addresses of one family', { vip: '192.0.2.9,192.0.2.8' }, 'InvalidVip'],
		['no ports', { ports: [] }, 'NoPorts'],
		['a port without a number', { ports: [{ name: 'a' }] }, 'InvalidPort'],
		['an odd protocol', { ports: [{ port: 80, protocol: 'QUIC' }] }, 'InvalidPort'],
		[
			'one name for two ports',
			{
				ports: [
					{ port: 80, name: 'a' },
					{ port: 81, name: 'a' },
				],
			},
			'InvalidPort',
		],
		['nobody behind it', { selector: [] }, 'NoEndpoints'],
		['a selector that is no label', { selector: ['app=web'] }, 'InvalidSelector'],
		['an endpoint that is no address', { endpoints: ['web'] }, 'InvalidEndpoint'],
		['no namespace', { namespace: '' }, 'UnknownNamespace'],
		['an unknown namespace', { namespace: 'gone' }, 'UnknownNamespace'],
		['an address of the Services', { vip: '10.96.0.9' }, 'VipInServiceCidr'],
		['an address that a pod may get', { vip: '10.16.0.9' }, 'VipNotReserved'],
		['an IPv6 address on the link', { vip: 'fd00:10:16::9' }, 'VipOnLink'],
	])('is refused with %s', (_, spec, reason) => {
		expect(reasons(spec)).toContain(reason);
	});

	it('asks endpoints from an address that the subnet keeps free, and from no other', () => {
		const asking = (source: string) => {
			const one = rule({});
			return problems({ ...one, metadata: { ...one.metadata, annotations: { 'tapestry.io/health-check-source': source } } }).map(
				({ reason }) => reason,
			);
		};
		expect(asking('10.16.9.1')).toEqual([]);
		for (const source of ['10.16.0.9', '192.0.2.9', 'fd00:10:16::5', 'here']) expect(asking(source)).toEqual(['HealthSourceNotReserved']);
	});

	it('leaves an address and port to the rule that was there before, in one VPC', () => {
		const older = rule({}, 'older', '1');
		expect(problems(rule({}), [older, rule({})])).toMatchObject([
			{ reason: 'DuplicateVip', why: 'rule older has 192.0.2.9 TCP 80 already' },
		]);
		expect(problems(older, [older, rule({})])).toEqual([]);
		expect(problems(rule({ ports: [{ port: 80, protocol: 'UDP' }] }), [older])).toEqual([]);
		expect(problems(rule({ namespace: 'tenant' }), [older])).toEqual([]);
	});

	it('reads labels and gives ports a name', () => {
		expect(ruleSelector(rule({ selector: ['app: web', 'tier:db'] }))).toEqual({ app: 'web', tier: 'db' });
		expect([rulePortName({ port: 53, protocol: 'UDP' }), rulePortName({ port: 80 }), rulePortName({ name: 'x', port: 80 })]).toEqual([
			'udp-53',
			'tcp-80',
			'x',
		]);
	});
});
