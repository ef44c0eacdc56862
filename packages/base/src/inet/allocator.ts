import { CodedError } from '../errors.ts';
import { type Cidr, cidrContains, firstAddress, formatCidr, lastAddress } from './cidr.ts';
import { type Family, formatIp, type Ip } from './ip.ts';
import { RangeSet } from './range-set.ts';
import { countAddresses, type IpRange, intersectRanges, mergeRanges, rangesContain, subtractRanges } from './ranges.ts';
import { ReleaseQueue } from './release-queue.ts';

/** The addresses that an allocator gives: those of `cidr` that can be a host's, without `gateway` and `exclude`. */
export interface AddressSpace {
	readonly cidr: Cidr;
	readonly gateway?: Ip | undefined;
	/** Given only to those who claim them. Ranges of the other family are passed over. */
	readonly exclude?: readonly IpRange[];
}

export interface Lease {
	readonly owner: string;
	readonly ip: Ip;
}

/**
 * Gives the addresses of one block, one to each owner: the lowest that was never given first; those that were released only when none
 * is left, the longest released first, so that stale neighbour and connection entries have time to expire.
 *
 * Failures are CodedErrors: IPAM_FULL; IPAM_TAKEN (`details.holder`); IPAM_OUTSIDE; IPAM_RESERVED (gateway, network or broadcast
 * address); IPAM_HOLDS_OTHER (the owner has another address).
 */
export interface Allocator {
	readonly space: AddressSpace;
	/** How many addresses `allocate` can still give. */
	readonly available: bigint;
	/** How many addresses have an owner. */
	readonly using: bigint;
	/** The address that `allocate` would give to a new owner; undefined when there is none. */
	peek(pool?: readonly IpRange[]): Ip | undefined;
	/** The owner's address, or a new one (out of `pool`, a merged list). */
	allocate(owner: string, options?: { readonly pool?: readonly IpRange[] }): Ip;
	/** Gives the owner this very address, which may be an excluded one. */
	claim(owner: string, ip: Ip): Ip;
	/** Returns what the owner had. */
	release(owner: string): Ip | undefined;
	holder(ip: Ip): string | undefined;
	addressOf(owner: string): Ip | undefined;
	/** Ascending. */
	availableRanges(): Iterable<IpRange>;
	/** Ascending. */
	usingRanges(): Iterable<IpRange>;
	/**
	 * Takes over leases as they stand, be they in the space or not: what is in use must not be given again. Returns those whose address
	 * belongs to another owner already; they are not taken over.
	 */
	restore(leases: Iterable<Lease>): readonly Lease[];
	/** Changes the space, within its family, and keeps all leases. Returns those whose address could not be claimed there any more. */
	resize(space: AddressSpace): readonly Lease[];
}

export function createAllocator(space: AddressSpace): Allocator {
	return new RangeAllocator(space);
}

class RangeAllocator implements Allocator {
	#space: AddressSpace;
	readonly #addresses = new Map<string, bigint>();
	readonly #holders = new Map<bigint, string>();
	#released = new ReleaseQueue();
	/** What `allocate` may give at all. */
	#usable: readonly IpRange[] = [];
	/** The usable ones that never had an owner. */
	#fresh = new RangeSet();
	/** The usable ones without an owner: fresh and released. */
	#free = new RangeSet();
	#used = new RangeSet();

	constructor(space: AddressSpace) {
		this.#space = space;
		this.#index();
	}

	get space(): AddressSpace {
		return this.#space;
	}

	get available(): bigint {
		return this.#free.size;
	}

	get using(): bigint {
		return this.#used.size;
	}

	peek(pool?: readonly IpRange[]): Ip | undefined {
		const value = pool ? this.#lowestIn(pool) : (this.#fresh.lowest() ?? this.#released.oldest());
		return value === undefined ? undefined : this.#ip(value);
	}

	allocate(owner: string, { pool }: { readonly pool?: readonly IpRange[] } = {}): Ip {
		const held = this.addressOf(owner);
		if (held) return held;
		const ip = this.peek(pool);
		if (!ip) throw this.#full(pool);
		this.#give(owner, ip.value);
		return ip;
	}

	claim(owner: string, ip: Ip): Ip {
		const held = this.addressOf(owner);
		if (held) {
			if (held.family === ip.family && held.value === ip.value) return held;
			throw new CodedError('IPAM_HOLDS_OTHER', {
				what: `${owner} cannot have ${formatIp(ip)}`,
				why: `it has ${formatIp(held)}`,
				fix: 'delete and create it again with the other address',
			});
		}
		const refusal = this.#refusal(ip);
		if (refusal) throw refusal;
		const holder = this.holder(ip);
		if (holder !== undefined) {
			throw new CodedError(
				'IPAM_TAKEN',
				{ what: `${formatIp(ip)} is taken`, why: `${holder} has it`, fix: 'ask for another address, or delete its holder' },
				{ details: { holder } },
			);
		}
		this.#give(owner, ip.value);
		return ip;
	}

	release(owner: string): Ip | undefined {
		const value = this.#addresses.get(owner);
		if (value === undefined) return undefined;
		this.#addresses.delete(owner);
		this.#holders.delete(value);
		this.#used.delete(value);
		const ip = this.#ip(value);
		if (rangesContain(this.#usable, ip)) {
			this.#released.add(value);
			this.#free.add(value);
		}
		return ip;
	}

	holder(ip: Ip): string | undefined {
		return ip.family === this.#family ? this.#holders.get(ip.value) : undefined;
	}

	addressOf(owner: string): Ip | undefined {
		const value = this.#addresses.get(owner);
		return value === undefined ? undefined : this.#ip(value);
	}

	availableRanges(): Iterable<IpRange> {
		return this.#ranges(this.#free);
	}

	usingRanges(): Iterable<IpRange> {
		return this.#ranges(this.#used);
	}

	restore(leases: Iterable<Lease>): readonly Lease[] {
		const conflicts: Lease[] = [];
		for (const lease of leases) {
			const { owner, ip } = lease;
			const held = this.#addresses.get(owner);
			if (ip.family === this.#family && held === undefined && !this.#holders.has(ip.value)) this.#record(owner, ip.value);
			else if (held !== ip.value || ip.family !== this.#family) conflicts.push(lease);
		}
		this.#index();
		return conflicts;
	}

	resize(space: AddressSpace): readonly Lease[] {
		this.#space = space;
		this.#index();
		return Array.from(this.#addresses, ([owner, value]): Lease => ({ owner, ip: this.#ip(value) })).filter(({ ip }) => this.#refusal(ip));
	}

	get #family(): Family {
		return this.#space.cidr.family;
	}

	#ip(value: bigint): Ip {
		return { family: this.#family, value };
	}

	#record(owner: string, value: bigint): void {
		this.#addresses.set(owner, value);
		this.#holders.set(value, owner);
	}

	#give(owner: string, value: bigint): void {
		this.#record(owner, value);
		if (!this.#fresh.delete(value)) this.#released.delete(value);
		this.#free.delete(value);
		this.#used.add(value);
	}

	/** Builds the sets from the space, the leases and the queue: one sort instead of one splice for each lease. */
	#index(): void {
		const { cidr, gateway, exclude = [] } = this.#space;
		const single = (value: bigint): IpRange => ({ family: cidr.family, first: value, last: value });
		const hosts: IpRange = { family: cidr.family, first: firstAddress(cidr).value, last: lastAddress(cidr).value };
		this.#usable = subtractRanges([hosts], mergeRanges([...exclude, ...(gateway ? [single(gateway.value)] : [])]));
		const used = mergeRanges(Array.from(this.#holders.keys(), single));
		const free = subtractRanges(this.#usable, used);
		const released = new ReleaseQueue();
		for (const value of this.#released.values()) if (rangesContain(free, this.#ip(value))) released.add(value);
		this.#released = released;
		this.#used = new RangeSet(used);
		this.#free = new RangeSet(free);
		this.#fresh = new RangeSet(subtractRanges(free, mergeRanges(Array.from(released.values(), single))));
	}

	#lowestIn(pool: readonly IpRange[]): bigint | undefined {
		const ranges = pool.filter(({ family }) => family === this.#family);
		for (const { first, last } of ranges) {
			const value = this.#fresh.lowest(first, last);
			if (value !== undefined) return value;
		}
		return this.#longestReleasedIn(ranges);
	}

	/** Looks through the shorter of the two: the pool or the queue. */
	#longestReleasedIn(ranges: readonly IpRange[]): bigint | undefined {
		if (countAddresses(ranges) > BigInt(this.#released.size)) {
			for (const value of this.#released.values()) if (rangesContain(ranges, this.#ip(value))) return value;
			return undefined;
		}
		let best: { readonly value: bigint; readonly turn: number } | undefined;
		for (const { first, last } of ranges) {
			for (let value = first; value <= last; value++) {
				const turn = this.#released.turnOf(value);
				if (turn !== undefined && (!best || turn < best.turn)) best = { value, turn };
			}
		}
		return best?.value;
	}

	*#ranges(set: RangeSet): Generator<IpRange> {
		for (const { first, last } of set.ranges()) yield { family: this.#family, first, last };
	}

	/** Why nobody may claim the address. */
	#refusal(ip: Ip): CodedError | undefined {
		const { cidr, gateway } = this.#space;
		if (!cidrContains(cidr, ip)) {
			return new CodedError('IPAM_OUTSIDE', {
				what: `${formatIp(ip)} cannot be given`,
				why: `it is not in ${formatCidr(cidr)}`,
				fix: `ask for an address of ${formatCidr(cidr)}, or name another subnet`,
			});
		}
		const why =
			gateway?.family === ip.family && gateway.value === ip.value
				? 'it is the gateway'
				: ip.value < firstAddress(cidr).value
					? 'it stands for the network itself'
					: ip.value > lastAddress(cidr).value
						? 'it is the broadcast address'
						: undefined;
		return why === undefined
			? undefined
			: new CodedError('IPAM_RESERVED', { what: `${formatIp(ip)} cannot be given`, why, fix: 'ask for another address' });
	}

	#full(pool: readonly IpRange[] | undefined): CodedError {
		const block = formatCidr(this.#space.cidr);
		const count = countAddresses(pool ? intersectRanges(pool, this.#usable) : this.#usable);
		return new CodedError('IPAM_FULL', {
			what: pool ? `the pool has no free address in ${block}` : `${block} has no free address`,
			why: `${count} addresses can be given, and all are in use`,
			fix: `${pool ? 'add addresses to the pool' : 'use a larger block, exclude less'}, or delete what is no longer needed`,
		});
	}
}
