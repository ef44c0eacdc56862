import { parseCidr } from '@tapestry/base';
import { plainTraffic, type Subnet } from '@tapestry/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit } from '../admission/admit.ts';
import type { Lease, LeaseOwner } from './lease-object.ts';
import { LeaseRegistry } from './registry.ts';
import type { AddressRequest } from './request.ts';

const any: AddressRequest = { addresses: { kind: 'any' }, mac: undefined };

function admitted(cidrBlock: string) {
	const subnet: Subnet = { metadata: { name: 's', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { cidrBlock } };
	const options = { mtu: 1442, defaultVpc: 'ovn-cluster', joinSubnet: 'join', serviceCidrs: [] };
	const found = admit([{ metadata: { name: 'ovn-cluster' }, spec: {} }], [subnet], options).subnets.get('s');
	if (!found) throw new Error('the subnet is not valid');
	return found;
}

function open(cidrBlock = '10.0.0.0/29') {
	const installed = new Set<string>();
	const lost: string[] = [];
	const freed: string[] = [];
	const registry = new LeaseRegistry({
		isInstalled: (name) => installed.has(name),
		onHeld: () => {},
		onLost: (lease) => lost.push(lease.name),
		onFreed: (subnet) => freed.push(subnet),
	});
	const subnet = admitted(cidrBlock);
	registry.setSubnet('s', subnet);
	return { registry, subnet, installed, lost, freed };
}

const owner = (name: string): LeaseOwner => ({ kind: 'Pod', namespace: 'd', name, uid: `uid-${name}` });
const lease = (name: string, v4: string, more: Partial<Lease> = {}): Lease => ({
	name,
	uid: `lease-${name}`,
	created: '2026-01-01T00:00:00Z',
	subnet: 's',
	node: 'n1',
	owner: owner(name),
	isReserved: false,
	traffic: plainTraffic,
	v4,
	v6: undefined,
	mac: `02:00:00:00:00:${name.charCodeAt(0).toString(16).padStart(2, '0')}`,
	...more,
});

describe('LeaseRegistry', () => {
	it('reserves until the object is seen, and gives back what is not used', () => {
		const { registry, subnet } = open();
		expect(registry.reserve('a', owner('a'), subnet, any).v4).toBe('10.0.0.2');
		expect(registry.reserve('b', owner('b'), subnet, any).v4).toBe('10.0.0.3');
		registry.put(lease('a', '10.0.0.2'));
		registry.unreserve('a');
		registry.unreserve('b');
		expect(registry.held('a')).toBeDefined();
		expect(registry.allocator('s', 4)?.using).toBe(1n);
	});

	it('knows who has addresses of a subnet, those that are about to have some too', () => {
		const { registry, subnet } = open();
		registry.put(lease('b', '10.0.0.2'));
		registry.put(lease('elsewhere', '10.9.0.2', { subnet: 't' }));
		registry.reserve('a', owner('a'), subnet, any);
		expect(registry.holders('s')).toEqual(['a', 'b']);
		registry.unreserve('a');
		registry.remove('b');
		expect(registry.holders('s')).toEqual([]);
	});

	it('takes one family or none when the other is full', () => {
		const { registry, subnet } = open('10.0.0.0/24,fd00::/126');
		for (const name of ['a', 'b']) registry.reserve(name, owner(name), subnet, any);
		expect(() => registry.reserve('c', owner('c'), subnet, any)).toThrow(expect.objectContaining({ code: 'IPAM_FULL' }));
		expect(registry.allocator('s', 4)?.using).toBe(2n);
	});

	it('lets the lease win whose port exists, whatever its age', () => {
		const { registry, installed, lost } = open();
		registry.put(lease('a', '10.0.0.2', { created: '2026-01-01T00:00:00Z' }));
		installed.add('b');
		registry.put(lease('b', '10.0.0.2', { created: '2026-01-02T00:00:00Z' }));
		expect(lost).toEqual(['a']);
		expect(registry.isLost('a')).toBe(true);
		expect(registry.held('b')).toBeDefined();
	});

	it('lets the older lease win, then the lower UID, in whatever order they are seen', () => {
		const older = lease('o', '10.0.0.2', { created: '2026-01-01T00:00:00Z' });
		const younger = lease('y', '10.0.0.2', { created: '2026-01-01T00:00:01Z' });
		const twin = lease('t', '10.0.0.2', { uid: 'lease-z', created: '2026-01-01T00:00:00Z' });
		for (const order of [
			[older, younger, twin],
			[twin, younger, older],
			[younger, twin, older],
		]) {
			const { registry, lost } = open();
			for (const one of order) registry.put(one);
			expect(registry.held('o')).toBeDefined();
			expect(lost.sort()).toEqual(['t', 'y']);
		}
	});

	it('judges an object against a reservation when that one has its object too, or is given up', () => {
		for (const isCreated of [true, false]) {
			const { registry, subnet, lost } = open();
			const { mac } = registry.reserve('a', owner('a'), subnet, any);
			registry.put(lease('b', '10.0.0.2', { created: '2026-01-02T00:00:00Z' }));
			expect(registry.held('b')).toBeUndefined();
			if (isCreated) registry.put(lease('a', '10.0.0.2', { mac }));
			else registry.unreserve('a');
			expect(registry.held('a') !== undefined).toBe(isCreated);
			expect(registry.held('b') !== undefined).toBe(!isCreated);
			expect(registry.isLost('b')).toBe(isCreated);
			expect(lost).toEqual(isCreated ? ['b'] : []);
		}
	});

	it('keeps leases when the block changes under them, and gives their addresses to nobody', () => {
		const { registry } = open('10.0.0.0/29');
		registry.put(lease('a', '10.0.0.2'));
		const moved = admitted('10.0.0.0/30');
		registry.setSubnet('s', moved);
		expect(registry.held('a')).toBeDefined();
		expect(() => registry.reserve('b', owner('b'), moved, any)).toThrow(expect.objectContaining({ code: 'IPAM_FULL' }));
		registry.setSubnet('s', undefined);
		registry.setSubnet('s', moved);
		expect(registry.allocator('s', 4)?.using).toBe(1n);
	});

	it('makes a MAC address that nobody in the subnet has', () => {
		const { registry, subnet } = open();
		registry.reserve('thief', owner('thief'), subnet, { addresses: { kind: 'any' }, mac: '02:58:0a:00:00:03' });
		expect(registry.reserve('a', owner('a'), subnet, any).mac).toMatch(/^02:5a:/);
		expect(() => registry.reserve('b', owner('b'), subnet, { ...any, mac: '02:58:0a:00:00:03' })).toThrow(/MAC address.*taken/);
	});

	it('says what each entry of a pool lacks', () => {
		const { registry, subnet } = open();
		registry.put(lease('a', '10.0.0.2'));
		const entries = ['10.0.0.2', '10.9.0.1'].map((text) => [{ family: 4, value: parseCidr(`${text}/32`)?.network ?? 0n }] as const);
		const request: AddressRequest = { addresses: { kind: 'oneOf', entries }, mac: undefined };
		expect(() => registry.reserve('b', owner('b'), subnet, request)).toThrow(/10\.0\.0\.2 is taken.*10\.9\.0\.1 cannot be given/);
	});

	it('never lets two leases in force have one address', () => {
		const names = fc.constantFrom('a', 'b', 'c', 'd');
		const step = fc.oneof(
			fc.record({
				kind: fc.constant('put' as const),
				name: names,
				last: fc.integer({ min: 2, max: 4 }),
				age: fc.integer({ min: 0, max: 3 }),
			}),
			fc.record({ kind: fc.constant('remove' as const), name: names }),
			fc.record({ kind: fc.constant('reserve' as const), name: names }),
			fc.record({ kind: fc.constant('unreserve' as const), name: names }),
			fc.record({ kind: fc.constant('subnet' as const), cidr: fc.constantFrom(undefined, '10.0.0.0/29', '10.0.0.0/30') }),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
				const { registry } = open();
				let subnet: ReturnType<typeof admitted> | undefined = admitted('10.0.0.0/29');
				const objects = new Map<string, Lease>();
				for (const one of steps) {
					if (one.kind === 'subnet') {
						subnet = one.cidr === undefined ? undefined : admitted(one.cidr);
						registry.setSubnet('s', subnet);
					} else if (one.kind === 'put') {
						const object = lease(one.name, `10.0.0.${one.last}`, { created: `2026-01-0${one.age + 1}T00:00:00Z` });
						objects.set(one.name, object);
						registry.put(object);
					} else if (one.kind === 'remove') {
						objects.delete(one.name);
						registry.remove(one.name);
					} else if (one.kind === 'unreserve') registry.unreserve(one.name);
					else if (subnet && !registry.userOfName(one.name)) {
						try {
							registry.reserve(one.name, owner(one.name), subnet, any);
						} catch (error) {
							expect(error).toMatchObject({ code: 'IPAM_FULL' });
						}
					}
					if (!subnet) continue;
					const held = [...objects.keys()].flatMap((name) => registry.held(name) ?? []);
					expect(new Set(held.map(({ v4 }) => v4)).size).toBe(held.length);
				}
				// When all reservations are given up and the subnet is there, each address that has objects has exactly one in force.
				for (const name of ['a', 'b', 'c', 'd']) registry.unreserve(name);
				registry.setSubnet('s', subnet ?? admitted('10.0.0.0/29'));
				const addresses = new Set([...objects.values()].map(({ v4 }) => v4));
				const held = [...objects.keys()].flatMap((name) => registry.held(name) ?? []);
				expect(held.map(({ v4 }) => v4).sort()).toEqual([...addresses].sort());
			}),
			{ numRuns: 500 },
		);
	});
});
