import { describe, expect, it } from 'vitest';
import type { Subnet } from './subnet.ts';
import { validateVpc } from './validate-vpc.ts';
import type { Vpc, VpcSpec } from './vpc.ts';
import { readPolicyRoutes, readStaticRoutes } from './vpc-routes.ts';

const vpc = (name: string, spec: VpcSpec): Vpc => ({ metadata: { name }, spec });
const net: Subnet = { metadata: { name: 'net' }, spec: { vpc: 'a', cidrBlock: '10.0.0.0/24,fd00::/64' } };
const reasons = (spec: VpcSpec, others: readonly Vpc[] = []) =>
	validateVpc(vpc('a', spec), { subnets: [net], vpcs: [vpc('a', spec), ...others] }).map(({ reason, field }) => `${reason} ${field}`);
const route = (cidr: string, nextHopIP: string, more: object = {}) => ({ cidr, nextHopIP, ...more });

describe('static routes', () => {
	it.each([
		['good', [route('0.0.0.0/0', '10.0.0.5'), route('::/0', 'fd00::5')], []],
		['an address for a block', [route('192.0.2.1', '10.0.0.5')], []],
		['no block', [route('junk', '10.0.0.5')], ['RouteMalformed spec.staticRoutes[0]']],
		['no next hop', [route('0.0.0.0/0', '')], ['RouteMalformed spec.staticRoutes[0]']],
		['another family', [route('0.0.0.0/0', 'fd00::5')], ['RouteMalformed spec.staticRoutes[0]']],
		['a stranger', [route('0.0.0.0/0', '192.0.2.1')], ['NextHopUnreachable spec.staticRoutes']],
		['twice', [route('0.0.0.0/0', '10.0.0.5'), route('0.0.0.0/0', '10.0.0.6')], ['RouteDuplicate spec.staticRoutes[1]']],
		['shared', [route('0.0.0.0/0', '10.0.0.5', { ecmpMode: 'ecmp' }), route('0.0.0.0/0', '10.0.0.6', { ecmpMode: 'ecmp' })], []],
	])('%s', (_, staticRoutes, expected) => {
		expect(reasons({ staticRoutes })).toEqual(expected);
	});

	it('keep the good entries', () => {
		const staticRoutes = [
			route('junk', '10.0.0.5'),
			route('1.0.0.0/8', '10.0.0.5', { policy: 'policySrc', ecmpMode: 'ecmp_symmetric_reply' }),
		];
		expect(readStaticRoutes(vpc('a', { staticRoutes })).values).toEqual([
			{ cidr: '1.0.0.0/8', nextHop: '10.0.0.5', policy: 'src-ip', table: '', isSymmetric: true, path: 'spec.staticRoutes[1]' },
		]);
	});
});

describe('policy routes', () => {
	it.each([
		['good', [{ priority: 1, match: 'ip4.src == 10.0.0.5', action: 'drop' as const }], []],
		['no match', [{ priority: 1, match: '', action: 'drop' as const }], ['RouteMalformed spec.policyRoutes[0]']],
		['a match that OVN refuses', [{ match: 'ip4.src = 10.0.0.5' }], ['RouteMalformed spec.policyRoutes[0]']],
		['too high', [{ priority: 32_768, match: 'ip4' }], ['RouteMalformed spec.policyRoutes[0]']],
		['no next hop', [{ match: 'ip4', action: 'reroute' as const }], ['RouteMalformed spec.policyRoutes[0]']],
		['twice', [{ match: 'ip4' }, { match: 'ip4', action: 'drop' as const }], ['RouteDuplicate spec.policyRoutes[1]']],
	])('%s', (_, policyRoutes, expected) => {
		expect(reasons({ policyRoutes })).toEqual(expected);
	});

	it('may have several next hops', () => {
		const policyRoutes = [{ priority: 7, match: 'ip4', action: 'reroute' as const, nextHopIP: '10.0.0.5, 10.0.0.6' }];
		expect(readPolicyRoutes(vpc('a', { policyRoutes })).values[0]?.nextHops).toEqual(['10.0.0.5', '10.0.0.6']);
	});
});

describe('links', () => {
	const link = (remoteVpc: string, localConnectIP: string) => ({ vpcPeerings: [{ remoteVpc, localConnectIP }] });

	it.each([
		['agreed', link('b', '169.254.0.1/30'), link('a', '169.254.0.2/30'), []],
		['dual', link('b', '169.254.0.1/30,fd00:9::1/126'), link('a', '169.254.0.2/30,fd00:9::2/126'), []],
		['unknown', link('c', '169.254.0.1/30'), {}, ['PeerUnknown spec.vpcPeerings']],
		['one-sided', link('b', '169.254.0.1/30'), {}, ['PeeringOneSided spec.vpcPeerings']],
		['two blocks', link('b', '169.254.0.1/30'), link('a', '169.254.0.6/30'), ['PeeringMismatch spec.vpcPeerings']],
		['one address', link('b', '169.254.0.1/30'), link('a', '169.254.0.1/30'), ['PeeringMismatch spec.vpcPeerings']],
		['other families', link('b', '169.254.0.1/30'), link('a', 'fd00:9::2/126'), ['PeeringMismatch spec.vpcPeerings']],
		['no prefix', link('b', '169.254.0.1'), link('a', '169.254.0.2/30'), ['PeeringMalformed spec.vpcPeerings[0]']],
		['itself', link('a', '169.254.0.1/30'), {}, ['PeeringMalformed spec.vpcPeerings[0]']],
		['in a subnet', link('b', '10.0.0.9/30'), link('a', '10.0.0.10/30'), ['CidrOverlap spec.vpcPeerings']],
	])('%s', (_, ours, theirs, expected) => {
		expect(reasons(ours, [vpc('b', theirs)])).toEqual(expected);
	});

	it('once for each VPC, and a next hop at the other side is reachable', () => {
		const vpcPeerings = [...link('b', '169.254.0.1/30').vpcPeerings, ...link('b', '169.254.0.5/30').vpcPeerings];
		const staticRoutes = [route('10.1.0.0/16', '169.254.0.2')];
		expect(reasons({ vpcPeerings, staticRoutes }, [vpc('b', link('a', '169.254.0.2/30'))])).toEqual([
			'PeeringDuplicate spec.vpcPeerings[1]',
		]);
	});
});
