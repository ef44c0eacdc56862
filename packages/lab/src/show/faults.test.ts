import { describe, expect, it } from 'vitest';
import { pathFaults } from './faults.ts';
import type { Hop } from './hop.ts';

const hop = (kind: string, facts: Hop['facts']): Hop => ({ kind, name: kind, facts });
const guest = (facts: Hop['facts']) => hop('guest', { mac: '02:58:0a:10:00:05', mtu: 1442, ...facts });
const logical = hop('logical port', { addresses: ['02:58:0A:10:00:05 10.16.0.5'] });

describe('pathFaults', () => {
	it('finds none where MTUs and MACs agree; hops without an MTU do not count', () => {
		expect(pathFaults([guest({}), hop('tap', { mtu: 1442 }), logical])).toEqual([]);
	});

	it('names the MTU of each hop when one differs', () => {
		expect(pathFaults([guest({}), hop('tap', { mtu: 1500 }), logical])).toEqual([
			'the MTU is not the same all along: guest 1442, tap 1500',
		]);
	});

	it('sees a workload with another MAC than its port', () => {
		expect(pathFaults([guest({ mac: '02:00:00:00:00:01' }), logical])).toEqual([
			'guest has MAC 02:00:00:00:00:01, its logical port 02:58:0a:10:00:05',
		]);
	});

	describe('about addresses', () => {
		const secured = hop('logical port', { ...logical.facts, portSecurity: ['02:58:0A:10:00:05 10.16.0.5 fd00::5'] });
		const withAddresses = (...addresses: readonly string[]) => guest({ addresses });

		it('knows those of the port, in any form, and link-local ones', () => {
			expect(pathFaults([withAddresses('10.16.0.5/16', 'fd00:0::5/128', 'fe80::1/64'), secured])).toEqual([]);
		});

		it('says that nothing passes from another one, and what to do', () => {
			expect(pathFaults([withAddresses('10.16.0.99/16', 'fd00::9/64', '10.16.0.5/16'), secured])).toEqual([
				'guest has 10.16.0.99 and fd00::9, from which nothing passes: port security allows 10.16.0.5 and fd00::5 (fix: take the address from DHCP, or ask for it with the annotation ovn.kubernetes.io/ip_address)',
			]);
		});

		it('finds nothing wrong where the port is open', () => {
			const open = hop('logical port', { ...logical.facts, portSecurity: [] });
			expect(pathFaults([withAddresses('10.16.0.99/16'), open])).toEqual([]);
		});
	});

	it('says which hop could not be read', () => {
		expect(pathFaults([{ kind: 'guest', name: '', facts: {}, trouble: 'no answer' }, logical])).toEqual(['guest: no answer']);
	});
});

it("leaves a guest's own address alone where the launcher translates it", () => {
	const guest = { kind: 'guest', name: 'eth0', facts: { addresses: ['10.0.2.2/24'], mac: '00:00:00:00:00:07' } };
	const logical = { kind: 'logical port', name: 'vm.a', facts: { portSecurity: ['00:00:00:00:00:07 10.16.0.7'] } };
	const launcher = (translates: boolean) => ({ kind: 'launcher', name: 'masquerade', facts: { translates } });
	expect(pathFaults([guest, launcher(true), logical])).toEqual([]);
	expect(pathFaults([guest, launcher(false), logical])).toEqual([expect.stringContaining('10.0.2.2')]);
});
