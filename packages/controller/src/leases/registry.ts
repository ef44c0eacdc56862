import type { Allocator, Family } from '@tapestry/base';
import type { LeasedAddresses } from '@tapestry/network';
import type { AdmittedSubnet } from '../admission/admission.ts';
import { claimantKey } from './claimant.ts';
import type { Addresses, Lease, LeaseOwner } from './lease-object.ts';
import type { AddressRequest } from './request.ts';
import { SubnetSpace } from './subnet-space.ts';

export interface RegistryDeps {
	/** Whether the lease's port is in the Northbound database. */
	isInstalled(name: string): boolean;
	/** A lease came to hold its addresses, or changed; `undefined` when it does not any more. */
	onHeld(name: string, lease: Lease | undefined): void;
	/** A lease claims an address that another one holds. */
	onLost(lease: Lease): void;
	/** Addresses of the subnet became free. */
	onFreed(subnet: string): void;
}

interface Reservation {
	readonly subnet: string;
	readonly addresses: Addresses;
	readonly owner: LeaseOwner;
}

/**
 * Who has which address, as the IP objects say. Addresses that were chosen but whose object has not been seen yet are reserved. Of two objects
 * with one address the one whose port exists holds it, else the older one, else the one with the lower UID: every controller decides alike.
 */
export class LeaseRegistry {
	readonly #deps: RegistryDeps;
	readonly #spaces = new Map<string, SubnetSpace>();
	/** Leases in force. */
	readonly #held = new Map<string, Lease>();
	/** Leases of which an address belongs to another name. */
	readonly #waiting = new Map<string, Lease>();
	/** Those among them whose rival is a lease in force, not a reservation. */
	readonly #lost = new Set<string>();
	readonly #reserved = new Map<string, Reservation>();
	readonly #namesBySubnet = new Map<string, Set<string>>();
	readonly #namesByOwner = new Map<string, Set<string>>();

	constructor(deps: RegistryDeps) {
		this.#deps = deps;
	}

	/** The lease that is in force under this name. */
	held(name: string): Lease | undefined {
		return this.#held.get(name);
	}

	/** Whether the lease of this name has to go because another one holds its address. */
	isLost(name: string): boolean {
		return this.#lost.has(name);
	}

	/** For whom the name is in use, be it for a lease or a reservation; `owner` is absent for an object that a user made. */
	userOfName(name: string): { readonly owner: LeaseOwner | undefined } | undefined {
		return this.#held.get(name) ?? this.#waiting.get(name) ?? this.#reserved.get(name);
	}

	/** All leases of the owner `Kind/namespace/name`, in force or not, the one to keep first. */
	ofOwner(key: string): readonly Lease[] {
		const leases = [...(this.#namesByOwner.get(key) ?? [])].flatMap((name) => this.#held.get(name) ?? this.#waiting.get(name) ?? []);
		return leases.sort((a, b) => Number(this.#waiting.has(a.name)) - Number(this.#waiting.has(b.name)) || (this.#beats(a, b) ? -1 : 1));
	}

	/** The names of all who have addresses of the subnet, or are about to. */
	holders(subnet: string): readonly string[] {
		const reserved = [...this.#reserved].flatMap(([name, reservation]) => (reservation.subnet === subnet ? name : []));
		return [...new Set([...(this.#namesBySubnet.get(subnet) ?? []), ...reserved])].sort();
	}

	/** What is in use in the subnet, by name. */
	*addressesIn(subnet: string): Generator<LeasedAddresses> {
		for (const name of this.#namesBySubnet.get(subnet) ?? []) {
			const lease = this.#held.get(name);
			if (lease) yield { name, addresses: [lease.v4, lease.v6].filter((ip) => ip !== undefined) };
		}
	}

	allocator(subnet: string, family: Family): Allocator | undefined {
		return this.#spaces.get(subnet)?.allocator(family);
	}

	/** Sets the addresses of a subnet; leases stay as they are, inside or outside. */
	setSubnet(name: string, subnet: AdmittedSubnet | undefined): void {
		if (!subnet) this.#spaces.delete(name);
		else if (!this.#spaces.get(name)?.resize(subnet)) this.#fill(name, new SubnetSpace(subnet));
		this.#settle(name);
		this.#deps.onFreed(name);
	}

	/** Takes in an IP object, new or changed. */
	put(lease: Lease): void {
		const { name } = lease;
		const before = this.#held.get(name);
		if (before && sameAddresses(before, lease)) {
			this.#index(before, false);
			this.#index(lease, true);
			this.#held.set(name, lease);
			this.#deps.onHeld(name, lease);
			return;
		}
		const freed = this.#withdraw(name);
		this.#index(lease, true);
		this.#claim(lease);
		this.#settle(lease.subnet);
		if (freed !== undefined && freed !== lease.subnet) this.#settle(freed);
	}

	/** An IP object is gone. */
	remove(name: string): void {
		this.#freed(this.#withdraw(name));
	}

	/** Chooses addresses and keeps them until the object is seen or `unreserve` is called. Throws IPAM_* and REFUSED. */
	reserve(name: string, owner: LeaseOwner, subnet: AdmittedSubnet, request: AddressRequest): Addresses {
		const space = this.#spaces.get(subnet.facts.name);
		if (!space) throw new RangeError(`subnet ${subnet.facts.name} is not in use`);
		const addresses = space.choose(name, request);
		this.#reserved.set(name, { subnet: subnet.facts.name, addresses, owner });
		return addresses;
	}

	/** Gives back what `reserve` kept, unless its object has been seen meanwhile. */
	unreserve(name: string): void {
		if (this.#reserved.has(name)) this.#freed(this.#withdraw(name));
	}

	/** Takes over all names of a subnet at once. */
	#fill(name: string, space: SubnetSpace): void {
		this.#spaces.set(name, space);
		const names = [...(this.#namesBySubnet.get(name) ?? [])];
		const leases = names.flatMap((one) => this.#held.get(one) ?? []);
		const reservations = [...this.#reserved].filter(([, { subnet }]) => subnet === name);
		const contested = space.restore([
			...leases.map((lease) => [lease.name, lease] as const),
			...reservations.map(([one, { addresses }]) => [one, addresses] as const),
		]);
		for (const lease of leases) {
			if (!contested.has(lease.name)) continue;
			this.#drop(lease);
			this.#claim(lease);
		}
	}

	/** Puts a lease in force, or has it wait when a better one has its address. */
	#claim(lease: Lease): void {
		const space = this.#spaces.get(lease.subnet);
		const rivals = space?.rivals(lease.name, lease) ?? [];
		const leases = rivals.flatMap((name) => this.#held.get(name) ?? []);
		const isBeaten = leases.some((other) => !this.#beats(lease, other));
		if (isBeaten || leases.length < rivals.length) {
			this.#wait(lease, isBeaten);
			return;
		}
		for (const other of leases) {
			this.#drop(other);
			this.#wait(other, true);
		}
		this.#waiting.delete(lease.name);
		this.#lost.delete(lease.name);
		space?.hold(lease.name, lease);
		this.#held.set(lease.name, lease);
		addTo(this.#namesBySubnet, lease.subnet, lease.name);
		this.#deps.onHeld(lease.name, lease);
	}

	#wait(lease: Lease, isLost: boolean): void {
		this.#waiting.set(lease.name, lease);
		if (!isLost) this.#lost.delete(lease.name);
		else if (!this.#lost.has(lease.name)) {
			this.#lost.add(lease.name);
			this.#deps.onLost(lease);
		}
	}

	/** Judges those that wait in a subnet again, until none of them comes into force any more. */
	#settle(subnet: string): void {
		for (let before = -1; before !== this.#waiting.size; ) {
			before = this.#waiting.size;
			for (const lease of [...this.#waiting.values()]) if (lease.subnet === subnet) this.#claim(lease);
		}
	}

	/** Forgets all that a name has; returns the subnet in which addresses became free. */
	#withdraw(name: string): string | undefined {
		const lease = this.#held.get(name);
		const known = lease ?? this.#waiting.get(name);
		if (known) this.#index(known, false);
		this.#waiting.delete(name);
		this.#lost.delete(name);
		const reservation = this.#reserved.get(name);
		this.#reserved.delete(name);
		if (reservation) this.#spaces.get(reservation.subnet)?.release(name, reservation.addresses.mac);
		if (lease) this.#drop(lease);
		return lease?.subnet ?? reservation?.subnet;
	}

	/** Ends a lease's being in force. */
	#drop(lease: Lease): void {
		this.#held.delete(lease.name);
		removeFrom(this.#namesBySubnet, lease.subnet, lease.name);
		this.#spaces.get(lease.subnet)?.release(lease.name, lease.mac);
		this.#deps.onHeld(lease.name, undefined);
	}

	#freed(subnet: string | undefined): void {
		if (subnet === undefined) return;
		this.#settle(subnet);
		this.#deps.onFreed(subnet);
	}

	#beats(a: Lease, b: Lease): boolean {
		const installed = Number(this.#deps.isInstalled(a.name)) - Number(this.#deps.isInstalled(b.name));
		if (installed !== 0) return installed > 0;
		return a.created !== b.created ? a.created < b.created : a.uid < b.uid;
	}

	#index(lease: Lease, isThere: boolean): void {
		if (lease.owner) (isThere ? addTo : removeFrom)(this.#namesByOwner, claimantKey(lease.owner), lease.name);
	}
}

function sameAddresses(a: Lease, b: Lease): boolean {
	return a.subnet === b.subnet && a.v4 === b.v4 && a.v6 === b.v6 && a.mac === b.mac && a.uid === b.uid;
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
	const set = map.get(key) ?? new Set<string>();
	map.set(key, set.add(value));
}

function removeFrom(map: Map<string, Set<string>>, key: string, value: string): void {
	const set = map.get(key);
	set?.delete(value);
	if (set?.size === 0) map.delete(key);
}
