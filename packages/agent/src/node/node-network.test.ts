import { formatCidr, formatIp, parseCidr } from '@tapestry/base';
import { type IpLease, labels, type Subnet } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { nodeNetwork } from './node-network.ts';

const lease: IpLease = {
	metadata: { name: 'node-n1', labels: { [labels.ownerUid]: 'u1' } },
	spec: { subnet: 'join', v4IpAddress: '100.64.0.2', v6IpAddress: 'fd00:100:64::2', macAddress: '02:58:64:40:00:02' },
};
const subnet = (name: string, spec: Subnet['spec']): Subnet => ({ metadata: { name }, spec });
const join = subnet('join', { cidrBlock: '100.64.0.0/16,fd00:100:64::/112', gateway: '100.64.0.1,fd00:100:64::1' });
const options = { mtu: 1442, serviceCidrs: [parseCidr('10.96.0.0/16')!] };

describe("the node's network", () => {
	it('waits for the join network', () => {
		expect(nodeNetwork(lease, [subnet('a', { cidrBlock: '10.16.0.0/16' })], options)).toBeUndefined();
	});

	it('reaches the subnets of the default VPC and the services, and no others, through the router', () => {
		const network = nodeNetwork(
			lease,
			[
				join,
				subnet('a', { cidrBlock: '10.16.0.0/16,fd00:10:16::/112', vpc: 'ovn-cluster', natOutgoing: true }),
				subnet('b', { cidrBlock: '10.17.0.0/16' }),
				subnet('tenant', { cidrBlock: '10.16.0.0/16', vpc: 'other', natOutgoing: true }),
				subnet('physical', { cidrBlock: '192.168.0.0/24', vlan: 'vlan1', natOutgoing: true }),
				subnet('macvlan', { cidrBlock: '172.17.0.0/16', provider: 'macvlan.default', natOutgoing: true }),
			],
			options,
		);
		expect(network?.routes.map(({ destination, gateway }) => `${formatCidr(destination)} via ${formatIp(gateway)}`)).toEqual([
			'10.16.0.0/16 via 100.64.0.1',
			'fd00:10:16::/112 via fd00:100:64::1',
			'10.17.0.0/16 via 100.64.0.1',
			'10.96.0.0/16 via 100.64.0.1',
		]);
		expect(network?.masquerade).toEqual([
			{ family: 4, sources: ['10.16.0.0/16'], inside: ['10.16.0.0/16', '10.17.0.0/16', '10.96.0.0/16', '100.64.0.0/16'] },
			{ family: 6, sources: ['fd00:10:16::/112'], inside: ['fd00:100:64::/112', 'fd00:10:16::/112'] },
		]);
	});

	it('has the same translations in whatever order the subnets come', () => {
		const subnets = [join, ...[1, 2, 3].map((n) => subnet(`s${n}`, { cidrBlock: `10.${n}.0.0/16`, natOutgoing: true }))];
		const translations = (list: readonly Subnet[]) => nodeNetwork(lease, list, options)?.masquerade;
		expect(translations([...subnets].reverse())).toEqual(translations(subnets));
		expect(translations(subnets)?.[0]?.sources).toEqual(['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16']);
	});
});
