import {
	type Allocator,
	type CodedError,
	cidrRange,
	createAllocator,
	type Family,
	formatIp,
	type Ip,
	type IpRange,
	isCoded,
	macFromBytes,
	mergeRanges,
	parseIp,
	subtractRanges,
} from '@tapestry/base';
import { fnv1a, type PortAddresses, type Problem, routerMac } from '@tapestry/network';
import type { AdmittedSubnet } from '../admission/admission.ts';
import type { AdmittedPool } from '../admission/pools.ts';
import { refuse } from '../problems.ts';
import type { Addresses } from './lease-object.ts';
import type { AddressRequest } from './request.ts';

/** The addresses of one subnet and the names that have them. */
export class SubnetSpace {
	#subnet: AdmittedSubnet;
	/** What of a family is not set aside, where something is. */
	#open: ReadonlyMap<Family, readonly IpRange[]>;
	readonly #allocators: ReadonlyMap<Family, Allocator>;
	readonly #macs = new Map<string, string>();

	constructor(subnet: AdmittedSubnet) {
		this.#subnet = subnet;
		this.#open = openRanges(subnet);
		this.#allocators = new Map(subnet.spaces.map((space) => [space.cidr.family, createAllocator(space)]));
	}

	allocator(family: Family): Allocator | undefined {
		return this.#allocators.get(family);
	}

	/** Changes the blocks and keeps who has what, inside or outside. False when the families are others: then a new space is needed. */
	resize(subnet: AdmittedSubnet): boolean {
		const { spaces } = subnet;
		if (spaces.length !== this.#allocators.size || !spaces.every(({ cidr }) => this.#allocators.has(cidr.family))) return false;
		this.#subnet = subnet;
		this.#open = openRanges(subnet);
		for (const space of spaces) this.#allocators.get(space.cidr.family)?.resize(space);
		return true;
	}

	/** Gives a name what it asks for, wholly or not at all. Throws IPAM_* and REFUSED. */
	choose(name: string, request: AddressRequest): Addresses {
		const { facts } = this.#subnet;
		const holder = request.mac === routerMac(facts.vpc, facts.name) ? 'the router' : this.#macs.get(request.mac ?? '');
		if (holder !== undefined && holder !== name) {
			refuse({
				reason: 'MacTaken',
				what: `MAC address ${request.mac} is taken`,
				why: `${holder} has it in subnet ${facts.name}`,
				fix: 'ask for another one, or delete its holder',
			});
		}
		const ips = this.#takeAll(name, request);
		const text = (family: Family) => ips.filter((ip) => ip.family === family).map(formatIp)[0];
		const mac = request.mac ?? freeMac(name, ips, this.#macs);
		this.#macs.set(mac, name);
		return { v4: text(4), v6: text(6), mac };
	}

	/** The other names that have one of these addresses. */
	rivals(name: string, addresses: Addresses): readonly string[] {
		const holders = this.#claims(addresses).flatMap(({ ip, allocator }) => allocator.holder(ip) ?? []);
		return [...new Set(holders)].filter((holder) => holder !== name);
	}

	/** Gives a name these addresses, which have no rival. Addresses outside of the block are kept from others all the same. */
	hold(name: string, addresses: Addresses): void {
		for (const { ip, allocator } of this.#claims(addresses)) {
			try {
				allocator.claim(name, ip);
			} catch (error) {
				if (!isCoded(error)) throw error;
				allocator.restore([{ owner: name, ip }]);
			}
		}
		this.#keepMac(addresses.mac, name);
	}

	/** Gives many names what they have, which is much cheaper than one by one; returns those that have a rival among them. */
	restore(holders: Iterable<readonly [name: string, addresses: Addresses]>): ReadonlySet<string> {
		const all = [...holders];
		const contested = new Set<string>();
		for (const [family, allocator] of this.#allocators) {
			const leases = all.flatMap(([owner, { v4, v6 }]) => {
				const ip = parseIp((family === 4 ? v4 : v6) ?? '');
				return ip ? [{ owner, ip }] : [];
			});
			for (const { owner } of allocator.restore(leases)) contested.add(owner);
		}
		for (const [name, { mac }] of all) this.#keepMac(mac, name);
		return contested;
	}

	release(name: string, mac: string): void {
		for (const allocator of this.#allocators.values()) allocator.release(name);
		if (this.#macs.get(mac) === name) this.#macs.delete(mac);
	}

	/** An object that a user made may leave it open. */
	#keepMac(mac: string, name: string): void {
		if (mac !== '') this.#macs.set(mac, name);
	}

	#takeAll(name: string, { addresses }: AddressRequest): readonly Ip[] {
		if (addresses.kind === 'oneOf') return this.#takeFirst(name, addresses.entries);
		if (addresses.kind !== 'pools') return this.#take(name, addresses.kind === 'these' ? addresses.ips : []);
		const pools = addresses.pools.filter(({ subnet }) => subnet === this.#subnet.facts.name);
		const { ordinal } = addresses;
		if (ordinal === undefined) return this.#take(name, [], mergeRanges(pools.flatMap(({ ranges }) => ranges)));
		const entries = pools.flatMap((pool) => pool.entries);
		const own = [...this.#allocators.keys()].map((family) => ({ family, ranges: entries.filter((range) => range.family === family) }));
		return this.#take(
			name,
			own.flatMap(({ family, ranges }) => {
				if (ranges.length === 0) return [];
				const value = nth(ranges, BigInt(ordinal));
				return value === undefined ? refuse(tooSmall(pools, ordinal)) : { family, value };
			}),
		);
	}

	#takeFirst(name: string, entries: readonly PortAddresses[]): readonly Ip[] {
		const refusals: CodedError[] = [];
		for (const entry of entries) {
			try {
				return this.#take(name, entry);
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

	/** The wanted addresses, and any free one for each family that is not among them: out of the pool, where that has this family. */
	#take(name: string, wanted: PortAddresses, pool: readonly IpRange[] = []): readonly Ip[] {
		const stranger = wanted.find((ip) => !this.#allocators.has(ip.family));
		const { facts } = this.#subnet;
		const blocks = facts.blocks.map((block) => block.cidr).join(',');
		if (stranger) {
			refuse({
				reason: 'IpamOutside',
				what: `${formatIp(stranger)} cannot be given`,
				why: `subnet ${facts.name} has no IPv${stranger.family} block (${blocks})`,
				fix: `ask for an address of ${blocks}, or name another subnet`,
			});
		}
		try {
			return Array.from(this.#allocators, ([family, allocator]) => {
				const ip = wanted.find((one) => one.family === family);
				if (ip) return allocator.claim(name, ip);
				const own = pool.filter((range) => range.family === family);
				const from = own.length > 0 ? own : this.#open.get(family);
				return allocator.allocate(name, from ? { pool: from } : {});
			});
		} catch (error) {
			for (const allocator of this.#allocators.values()) allocator.release(name);
			throw error;
		}
	}

	#claims({ v4, v6 }: Addresses): { readonly ip: Ip; readonly allocator: Allocator }[] {
		return [v4, v6].flatMap((text) => {
			const ip = parseIp(text ?? '');
			const allocator = ip && this.#allocators.get(ip.family);
			return ip && allocator ? [{ ip, allocator }] : [];
		});
	}
}

function openRanges({ spaces, setAside }: AdmittedSubnet): ReadonlyMap<Family, readonly IpRange[]> {
	const affected = spaces.filter(({ cidr }) => setAside.some(({ family }) => family === cidr.family));
	return new Map(affected.map(({ cidr }) => [cidr.family, subtractRanges([cidrRange(cidr)], setAside)]));
}

/** The address at a place of a list of ranges. */
function nth(ranges: readonly IpRange[], place: bigint): bigint | undefined {
	let left = place;
	for (const { first, last } of ranges) {
		if (first + left <= last) return first + left;
		left -= last - first + 1n;
	}
	return undefined;
}

function tooSmall(pools: readonly AdmittedPool[], ordinal: number): Problem {
	const names = pools.map(({ name }) => name).join(', ');
	return {
		reason: 'PoolFull',
		what: `IPPool ${names} has no address for the pod with number ${ordinal}`,
		why: 'each pod of a StatefulSet has the address at its own place, and the pool ends before',
		fix: 'add addresses to the pool',
	};
}

/**
 * A locally administered address made of the IP address, which is unique in the subnet already: neighbours' caches stay right when an address
 * returns with another owner. Taken only when somebody asked for this very address; then one made of the name.
 */
function freeMac(name: string, ips: readonly Ip[], taken: ReadonlyMap<string, string>): string {
	const v4 = ips.find((ip) => ip.family === 4);
	const [first] = ips;
	let mac = macOf(v4 ? 0x58 : 0x59, Number(BigInt.asUintN(32, (v4 ?? first)?.value ?? 0n)));
	for (let salt = 0; taken.has(mac); salt++) mac = macOf(0x5a, fnv1a(`${name} ${salt}`));
	return mac;
}

function macOf(kind: number, bits: number): string {
	return macFromBytes(Uint8Array.of(0x02, kind, bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255));
}
