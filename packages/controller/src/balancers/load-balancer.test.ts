import { parseCidr } from '@tapestry/base';
import type { Service, ServiceSpec } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { outerAddresses as decide, type Reserved } from './load-balancer.ts';

const service = (name: string, spec: Partial<ServiceSpec>, created = '1'): Service => ({
	metadata: { name, namespace: 'shop', creationTimestamp: created },
	spec: { type: 'LoadBalancer', ipFamilies: ['IPv4', 'IPv6'], ports: [{ port: 80 }], ...spec },
});

const outerAddresses = (one: Service, others: readonly Service[], reserved: readonly Reserved[] = []) => decide(one, others, reserved);

describe('the outer addresses of a Service', () => {
	it('are those that it asks for', () => {
		expect(outerAddresses(service('a', { loadBalancerIP: '192.0.2.9, FD00:0::9' }), [])).toEqual({
			kind: 'addresses',
			ips: ['192.0.2.9', 'fd00::9'],
		});
	});

	it('are not ours to give when it asks for none or asks another', () => {
		expect(outerAddresses(service('a', {}), [])).toEqual({ kind: 'none' });
		expect(outerAddresses(service('a', { loadBalancerIP: '192.0.2.9', loadBalancerClass: 'example.org/other' }), [])).toEqual({
			kind: 'none',
		});
		expect(outerAddresses(service('a', { type: 'NodePort', loadBalancerIP: '192.0.2.9' }), [])).toEqual({ kind: 'none' });
	});

	it.each([
		['192.0.2.9,192.0.2.8', 'InvalidAddress'],
		['nowhere', 'InvalidAddress'],
	])('are refused as %s', (loadBalancerIP, reason) => {
		expect(outerAddresses(service('a', { loadBalancerIP }), [])).toMatchObject({ problem: { reason } });
	});

	it('are of its own families', () => {
		const asked = service('a', { loadBalancerIP: 'fd00::9', ipFamilies: ['IPv4'] });
		expect(outerAddresses(asked, [])).toMatchObject({ problem: { reason: 'OtherFamily' } });
	});

	it('stay with the older of two, unless their ports differ', () => {
		const old = service('old', { loadBalancerIP: '192.0.2.9' });
		const young = service('young', { loadBalancerIP: '192.0.2.9' }, '2');
		expect(outerAddresses(young, [old, young])).toMatchObject({
			problem: { reason: 'AddressTaken', why: 'Service shop/old has 192.0.2.9 TCP 80 already' },
		});
		expect(outerAddresses(old, [old, young]).kind).toBe('addresses');
		const other = service('young', { loadBalancerIP: '192.0.2.9', ports: [{ port: 81 }] }, '2');
		expect(outerAddresses(other, [old, other]).kind).toBe('addresses');
	});

	it('are none that pods or other Services may have', () => {
		const cidr = parseCidr('10.16.0.0/16');
		const reserved = cidr ? [{ cidr, by: 'subnet ovn-default' }] : [];
		expect(outerAddresses(service('a', { loadBalancerIP: '10.16.3.3' }), [], reserved)).toMatchObject({
			problem: { reason: 'AddressReserved' },
		});
		expect(outerAddresses(service('a', { loadBalancerIP: '10.17.3.3' }), [], reserved).kind).toBe('addresses');
	});
});
