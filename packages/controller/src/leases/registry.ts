import {
	type Allocator,
	type CodedError,
	createAllocator,
	type Family,
	formatIp,
	type Ip,
	isCoded,
	macFromBytes,
	parseIp,
} from '@tapestry/base';
import { fnv1a, type PortAddresses } from '@tapestry/network';
import type { AdmittedSubnet } from '../admission/admit.ts';
import { refuse } from '../problems.ts';
import { claimantKey } from './claimant.ts';
import type { Addresses, Lease, LeaseOwner } from './lease-object.ts';
import type { AddressRequest } from './request.ts';

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

/** The addresses of one subnet. */
interface Pool {
	subnet: AdmittedSubnet;
	readonly allocators: Map<Family, Allocator>;
	readonly macs: Map<string, string>;
}

/**
 * Who has which address, as the IP objects say. Addresses that were chosen but whose object has not been seen yet are reserved. Of two objects
 * with one address the one whose port exists holds it, else the older one, else the one with the lower UID: every controller decides alike.
 */
export class LeaseRegistry {
	readonly #deps: RegistryDeps;
	readonly #pools = new Map<string, Pool>();
	readonly #held = new Map<string, Lease>();
	readonly #lost = new Map<string, Lease>();
	readonly #bySubnet = new Map<string, Set<string>>();
	readonly #byOwner = new Map<string, Set<string>>();
	/** Subnet and MAC address of reserved leases, by name. */
	readonly #reserved = new Map<string, { readonly subnet: string; readonly mac: string; readonly owner: LeaseOwner }>();
	/** Objects whose address is reserved for another lease; judged when that one's object is there. */
	readonly #contesting = new Map<string, Lease[]>();

	constructor(deps: RegistryDeps) {
		this.#deps = deps;
	}

	/** The lease that is in force under this name. */
	held(name: string): Lease | undefined {
		return this.#held.get(name);
	}

	/** For whom the name is in use, be it for a lease in force, a lost or a reserved one; `owner` is absent for an object that a user made. */
	userOfName(name: string): { readonly owner: LeaseOwner | undefined } | undefined {
		const lease = this.#held.get(name) ?? this.#lost.get(name);
		return lease ? { owner: lease.owner } : this.#reserved.get(name);
	}

	/** All leases in force or lost of the owner `Kind/namespace/name`, the one to keep first. */
	ofOwner(key: string): readonly Lease[] {
		const leases = [...(this.#byOwner.get(key) ?? [])].flatMap((name) => this.#held.get(name) ?? this.#lost.get(name) ?? []);
		return leases.sort((a, b) => Number(this.#lost.has(a.name)) - Number(this.#lost.has(b.name)) || (this.#beats(a, b) ? -1 : 1));
	}

	isLost(name: string): boolean {
		return this.#lost.has(name);
	}

	allocator(subnet: string, family: Family): Allocator | undefined {
		return this.#pools.get(subnet)?.allocators.get(family);
	}

	/** Sets the addresses of a subnet; leases stay as they are, inside or outside. */
	setSubnet(name: string, subnet: AdmittedSubnet | undefined): void {
		const pool = this.#pools.get(name);
		if (!subnet) {
			this.#pools.delete(name);
			return;
		}
		const families = subnet.spaces.map((space) => space.cidr.family);
		if (pool && families.length === pool.allocators.size && families.every((family) => pool.allocators.has(family))) {
			pool.subnet = subnet;
			for (const space of subnet.spaces) pool.allocators.get(space.cidr.family)?.resize(space);
		} else {
			this.#pools.set(name, {
				subnet,
				allocators: new Map(subnet.spaces.map((space) => [space.cidr.family, createAllocator(space)])),
				macs: new Map(),
			});
			this.#restore(name);
		}
		this.#deps.onFreed(name);
	}

	/** Takes in an IP object, new or changed. */
	put(lease: Lease): void {
		const { name } = lease;
		const before = this.#held.get(name);
		this.#reserved.delete(name);
		if (before && sameAddresses(before, lease)) {
			this.#disown(before);
			this.#own(lease);
			this.#held.set(name, lease);
			this.#deps.onHeld(name, lease);
		} else {
			if (before || this.#lost.has(name)) this.#drop(name);
			this.#own(lease);
			this.#claim(lease);
		}
		this.#judgeContesting(name);
	}

	/** An IP object is gone. */
	remove(name: string): void {
		const lease = this.#held.get(name) ?? this.#lost.get(name);
		if (lease) this.#disown(lease);
		this.#drop(name);
		this.#judgeContesting(name);
	}

	/** Chooses addresses and keeps them until the object is seen or `unreserve` is called. Throws IPAM_* and REFUSED. */
	reserve(name: string, owner: LeaseOwner, subnet: AdmittedSubnet, request: AddressRequest): Addresses {
		const space = this.#pools.get(subnet.facts.name);
		if (!space) throw new RangeError(`subnet ${subnet.facts.name} is not in use`);
		const taken = request.mac === undefined ? undefined : space.macs.get(request.mac);
		if (taken !== undefined) {
			refuse({
				reason: 'MacTaken',
				what: `MAC address ${request.mac} is taken`,
				why: `${taken} has it in subnet ${subnet.facts.name}`,
				fix: 'ask for another one, or delete its holder',
			});
		}
		const ips = this.#choose(name, space, request);
		const text = (family: Family) => ips.filter((ip) => ip.family === family).map(formatIp)[0];
		const mac = request.mac ?? freeMac(name, ips, space.macs);
		space.macs.set(mac, name);
		this.#reserved.set(name, { subnet: subnet.facts.name, mac, owner });
		return { v4: text(4), v6: text(6), mac };
	}

	/** Gives back what `reserve` kept, unless its object has been seen meanwhile. */
	unreserve(name: string): void {
		const reserved = this.#reserved.get(name);
		if (!reserved) return;
		this.#reserved.delete(name);
		const pool = this.#pools.get(reserved.subnet);
		for (const allocator of pool?.allocators.values() ?? []) allocator.release(name);
		if (pool?.macs.get(reserved.mac) === name) pool.macs.delete(reserved.mac);
		this.#judgeContesting(name);
		this.#deps.onFreed(reserved.subnet);
	}

	#choose(name: string, space: Pool, { addresses }: AddressRequest): readonly Ip[] {
		switch (addresses.kind) {
			case 'any':
				return this.#take(name, space, []);
			case 'these':
				return this.#take(name, space, addresses.ips);
			case 'oneOf':
				return this.#takeFirst(name, space, addresses.entries);
		}
	}

	#takeFirst(name: string, space: Pool, entries: readonly PortAddresses[]): readonly Ip[] {
		const refusals: CodedError[] = [];
		for (const entry of entries) {
			try {
				return this.#take(name, space, entry);
			} catch (error) {
				if (!isCoded(error)) throw error;
				refusals.push(error);
			}
		}
		return refuse({
			reason: 'PoolFull',
			what: 'no address of the pool can be given',
			why: refusals.map(({ text }) => `${text.what}: ${text.why}`).join('; '),
			fix: 'add addresses to the pool, or delete a holder',
		});
	}

	/** The wanted addresses, and any free one for each family that is not among them. All or nothing. */
	#take(name: string, space: Pool, wanted: PortAddresses): readonly Ip[] {
		const stranger = wanted.find((ip) => !space.allocators.has(ip.family));
		const blocks = space.subnet.facts.blocks.map((block) => block.cidr).join(',');
		if (stranger) {
			refuse({
				reason: 'IpamOutside',
				what: `${formatIp(stranger)} cannot be given`,
				why: `subnet ${space.subnet.facts.name} has no IPv${stranger.family} block (${blocks})`,
				fix: `ask for an address of ${blocks}, or name another subnet`,
			});
		}
		try {
			return [...space.allocators].map(([family, allocator]) => {
				const ip = wanted.find((one) => one.family === family);
				return ip ? allocator.claim(name, ip) : allocator.allocate(name);
			});
		} catch (error) {
			for (const allocator of space.allocators.values()) allocator.release(name);
			throw error;
		}
	}

	#claim(lease: Lease): void {
		const pool = this.#pools.get(lease.subnet);
		for (const { ip, allocator } of claims(lease, pool)) {
			const holder = allocator.holder(ip);
			if (holder === undefined || holder === lease.name) continue;
			const other = this.#held.get(holder);
			if (!other) {
				this.#contesting.set(holder, [...(this.#contesting.get(holder) ?? []), lease]);
				return;
			}
			if (!this.#beats(lease, other)) {
				this.#lose(lease);
				return;
			}
			this.#drop(holder);
			this.#lose(other);
		}
		for (const { ip, allocator } of claims(lease, pool)) hold(allocator, lease.name, ip);
		pool?.macs.set(lease.mac, lease.name);
		this.#held.set(lease.name, lease);
		this.#namesIn(lease.subnet).add(lease.name);
		this.#deps.onHeld(lease.name, lease);
	}

	/** Takes over all leases of a subnet at once, which is much cheaper than one by one. */
	#restore(subnet: string): void {
		const pool = this.#pools.get(subnet);
		const contested = new Set<string>();
		for (const [family, allocator] of pool?.allocators ?? []) {
			const leases = [...this.#namesIn(subnet)].flatMap((name) => {
				const lease = this.#held.get(name);
				const ip = parseIp((family === 4 ? lease?.v4 : lease?.v6) ?? '');
				return ip ? [{ owner: name, ip }] : [];
			});
			for (const { owner } of allocator.restore(leases)) contested.add(owner);
		}
		for (const name of this.#namesIn(subnet)) {
			const lease = this.#held.get(name);
			if (lease) pool?.macs.set(lease.mac, name);
		}
		for (const name of contested) {
			const lease = this.#held.get(name);
			if (!lease) continue;
			this.#drop(name);
			this.#claim(lease);
		}
	}

	#lose(lease: Lease): void {
		this.#lost.set(lease.name, lease);
		this.#deps.onLost(lease);
	}

	/** Frees what a name holds. */
	#drop(name: string): void {
		this.#lost.delete(name);
		this.#reserved.delete(name);
		const lease = this.#held.get(name);
		if (!lease) return;
		this.#held.delete(name);
		this.#namesIn(lease.subnet).delete(name);
		const pool = this.#pools.get(lease.subnet);
		for (const allocator of pool?.allocators.values() ?? []) allocator.release(name);
		if (pool?.macs.get(lease.mac) === name) pool.macs.delete(lease.mac);
		this.#deps.onHeld(name, undefined);
		this.#deps.onFreed(lease.subnet);
	}

	#judgeContesting(name: string): void {
		const leases = this.#contesting.get(name) ?? [];
		this.#contesting.delete(name);
		for (const lease of leases) this.#claim(lease);
	}

	#beats(a: Lease, b: Lease): boolean {
		const installed = Number(this.#deps.isInstalled(a.name)) - Number(this.#deps.isInstalled(b.name));
		if (installed !== 0) return installed > 0;
		return a.created !== b.created ? a.created < b.created : a.uid < b.uid;
	}

	#own(lease: Lease): void {
		if (!lease.owner) return;
		const key = claimantKey(lease.owner);
		this.#byOwner.set(key, (this.#byOwner.get(key) ?? new Set()).add(lease.name));
	}

	#disown(lease: Lease): void {
		if (!lease.owner) return;
		const key = claimantKey(lease.owner);
		const names = this.#byOwner.get(key);
		names?.delete(lease.name);
		if (names?.size === 0) this.#byOwner.delete(key);
	}

	#namesIn(subnet: string): Set<string> {
		let names = this.#bySubnet.get(subnet);
		if (!names) {
			names = new Set();
			this.#bySubnet.set(subnet, names);
		}
		return names;
	}
}

function claims(lease: Lease, pool: Pool | undefined): { readonly ip: Ip; readonly allocator: Allocator }[] {
	return [lease.v4, lease.v6].flatMap((text) => {
		const ip = parseIp(text ?? '');
		const allocator = ip && pool?.allocators.get(ip.family);
		return ip && allocator ? [{ ip, allocator }] : [];
	});
}

function hold(allocator: Allocator, name: string, ip: Ip): void {
	try {
		allocator.claim(name, ip);
	} catch {
		// The block was changed under the lease, which stays as it is: its address must not be given again.
		allocator.restore([{ owner: name, ip }]);
	}
}

function sameAddresses(a: Lease, b: Lease): boolean {
	return a.subnet === b.subnet && a.v4 === b.v4 && a.v6 === b.v6 && a.mac === b.mac && a.uid === b.uid;
}

/**
 * A locally administered address made of the IP address, which is unique in the subnet already: neighbours' caches stay right when an address
 * returns with another owner. Taken only when somebody asked for this very address; then one made of the name.
 */
function freeMac(name: string, ips: readonly Ip[], taken: ReadonlyMap<string, string>): string {
	const v4 = ips.find((ip) => ip.family === 4);
	const [first] = ips;
	const low = Number(BigInt.asUintN(32, (v4 ?? first)?.value ?? 0n));
	let mac = macOf(v4 ? 0x58 : 0x59, low);
	for (let salt = 0; taken.has(mac); salt++) mac = macOf(0x5a, fnv1a(`${name} ${salt}`));
	return mac;
}

function macOf(kind: number, bits: number): string {
	return macFromBytes(Uint8Array.of(0x02, kind, bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255));
}
