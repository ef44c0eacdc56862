import { type IpLease, labels, type Subnet } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { portOfLease } from './lease.ts';
import { queuesOf } from './machine.ts';

const lease: IpLease = {
	metadata: { name: 'a.default', labels: { [labels.ownerUid]: 'u1' } },
	spec: { subnet: 'net', v4IpAddress: '10.16.0.7', v6IpAddress: 'fd00:10:16::7', macAddress: '02:AA:BB:00:00:07' },
};
const subnet: Subnet = {
	metadata: { name: 'net' },
	spec: { cidrBlock: '10.16.0.0/16,fd00:10:16::/112', gateway: '10.16.0.254, fd00:10:16::fe' },
};

describe('a lease', () => {
	it("becomes a port with its subnet's prefixes, gateways and MTU", () => {
		expect(portOfLease(lease, subnet, 1442)).toEqual({
			name: 'a.default',
			ownerUid: 'u1',
			mac: '02:aa:bb:00:00:07',
			addresses: [
				{ address: '10.16.0.7/16', gateway: '10.16.0.254' },
				{ address: 'fd00:10:16::7/112', gateway: 'fd00:10:16::fe' },
			],
			mtu: 1442,
			subnet: 'net',
		});
		expect(portOfLease(lease, { ...subnet, spec: { ...subnet.spec, mtu: 1300, gateway: '' } }, 1442)).toMatchObject({
			mtu: 1300,
			addresses: [{ gateway: '10.16.0.1' }, { gateway: 'fd00:10:16::1' }],
		});
		const single = portOfLease({ ...lease, spec: { ...lease.spec, v4IpAddress: '' } }, subnet, 1442);
		expect(single.addresses).toEqual([{ address: 'fd00:10:16::7/112', gateway: 'fd00:10:16::fe' }]);
	});

	it.each([
		[{ spec: { ...lease.spec, v4IpAddress: '10.17.0.7' } }, '"10.17.0.7" is no address of subnet net'],
		[{ spec: { ...lease.spec, macAddress: '' } }, 'no spec.macAddress'],
		[{ metadata: { name: 'a.default' } }, 'no label tapestry.io/owner-uid'],
		[{ spec: { ...lease.spec, v4IpAddress: '', v6IpAddress: '' } }, 'no address'],
	])('that somebody spoilt is refused with the reason', (change, reason) => {
		expect(() => portOfLease({ ...lease, ...change }, subnet, 1442)).toThrow(
			expect.objectContaining({ code: 'AGENT_LEASE', message: expect.stringContaining(reason) }),
		);
	});
});

describe('queues of a machine', () => {
	it.each([
		[{}, 1],
		[{ devices: { networkInterfaceMultiqueue: true } }, 1],
		[{ cpu: { cores: 2, sockets: 2, threads: 2 } }, 1],
		[{ cpu: { cores: 2, sockets: 2, threads: 2 }, devices: { networkInterfaceMultiqueue: true } }, 8],
		[{ cpu: { cores: 400 }, devices: { networkInterfaceMultiqueue: true } }, 256],
	])('%j has %i', (domain, queues) => {
		expect(queuesOf({ metadata: { name: 'vm' }, spec: { domain } })).toBe(queues);
	});
});
