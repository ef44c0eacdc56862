import { plainTraffic, World } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import type { Claimant } from '../leases/claimant.ts';
import type { Lease } from '../leases/lease-object.ts';
import { leaseFacts } from './lease-facts.ts';

const owner = { kind: 'VirtualMachine', namespace: 'default', name: 'vm', uid: 'v' } as const;
const lease: Lease = {
	name: 'vm.default',
	uid: 'l',
	created: '',
	subnet: 'ovn-default',
	node: 'n1',
	owner,
	isReserved: false,
	traffic: plainTraffic,
	v4: '10.16.0.2',
	v6: undefined,
	mac: '02:00:00:00:00:01',
};
const claimant = (more: Partial<Claimant> = {}): Claimant => ({
	...owner,
	node: 'n1',
	labels: { app: 'db' },
	annotations: {},
	specMac: undefined,
	ports: [],
	ordinal: undefined,
	isLeaving: false,
	...more,
});

describe('the facts of a lease', () => {
	it('say by what its owner is selected', () => {
		expect(leaseFacts(lease, claimant())).toMatchObject({ namespace: 'default', labels: { app: 'db' }, ownerKind: 'VirtualMachine' });
		expect(leaseFacts(lease, undefined)).toMatchObject({ namespace: 'default', labels: {} });
		expect(leaseFacts(lease, claimant({ uid: 'another of the name' }))).toMatchObject({ labels: {}, isOpen: false });
	});

	it('change alone when a label does', () => {
		const world = new World();
		const asked: string[] = [];
		world.set('IP', 'vm.default', leaseFacts(lease, claimant()));
		world.onChange((_, __, questions) => asked.push(...questions));
		world.set('IP', 'vm.default', leaseFacts(lease, claimant()));
		expect(asked).toEqual([]);
		world.set('IP', 'vm.default', leaseFacts(lease, claimant({ labels: { app: 'web' } })));
		expect(asked).toEqual(['IP/vm.default', 'IP?address=10.16.0.2']);
	});
});
