import { type Allocator, createAllocator, firstAddress, parseCidr } from '@tapestry/base';
import { type BenchOptions, type BenchResult, currentConditions, type Measurement, measurement } from './harness.ts';

/** Owners in one block, at most: the number of pods that a large cluster has. */
const mostOwners = 100_000;
const blocks = ['10.0.0.0/24', '10.0.0.0/16', '10.0.0.0/8', 'fd00::/64'];

/** How fast addresses are given, and whether that depends on the size of the block. Each sample is one operation. */
export function run(_options: BenchOptions): Promise<BenchResult> {
	const conditions = currentConditions();
	// Once unmeasured, so that the first block does not pay for compiling the code.
	for (const block of blocks) measureBlock(block);
	return Promise.resolve({ name: 'ipam', conditions, results: blocks.flatMap(measureBlock) });
}

function measureBlock(block: string): Measurement[] {
	const cidr = parseCidr(block);
	if (!cidr) throw new TypeError(`${block} is not a block`);
	const space = { cidr, gateway: firstAddress(cidr) };
	const capacity = createAllocator(space).available;
	const count = capacity < BigInt(mostOwners) ? Number(capacity) : mostOwners;
	const owners = Array.from({ length: count }, (_, index) => `pod-${index}.default`);
	const random = randomNumbers(count);
	const shuffled = shuffle(owners, random);
	// A small block is filled several times, for as many samples as the large ones give.
	const rounds = Math.ceil(mostOwners / count);

	const full = (): Allocator => {
		const allocator = createAllocator(space);
		for (const owner of owners) allocator.allocate(owner);
		return allocator;
	};
	const filled: number[] = [];
	const mixed: number[] = [];
	const claimed: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const fresh = createAllocator(space);
		each(owners, filled, (owner) => fresh.allocate(owner));

		// Half of the owners leave in no order, which leaves as many gaps as there can be; then owners come and go.
		const churned = full();
		const half = Math.floor(count / 2);
		for (const owner of shuffled.slice(0, half)) churned.release(owner);
		each(shuffled.slice(half), mixed, (owner, index) => {
			churned.release(owner);
			churned.allocate(`new-${index}.default`);
		});

		const source = full();
		const target = createAllocator(space);
		each(shuffled, claimed, (owner) => {
			const ip = source.addressOf(owner);
			if (ip) target.claim(owner, ip);
		});
	}
	const allocator = full();
	const leases = shuffled.flatMap((owner) => {
		const ip = allocator.addressOf(owner);
		return ip ? [{ owner, ip }] : [];
	});
	const restored = Array.from({ length: 5 }, () => {
		const start = performance.now();
		createAllocator(space).restore(leases);
		return performance.now() - start;
	});
	const owned = `${count} owners`;
	return [
		summary(`${block} allocate`, filled, owned),
		summary(`${block} release and allocate`, mixed, `${owned}, half of them gone in no order`),
		summary(`${block} claim in no order`, claimed, owned),
		measurement(`${block} restore`, restored, { note: `${owned} at once` }),
	];
}

function each(owners: readonly string[], samples: number[], operation: (owner: string, index: number) => void): void {
	for (const [index, owner] of owners.entries()) {
		const start = performance.now();
		operation(owner, index);
		samples.push(performance.now() - start);
	}
}

function summary(name: string, samples: readonly number[], note: string): Measurement {
	const total = samples.reduce((sum, sample) => sum + sample, 0);
	return measurement(name, samples, { perSecond: (samples.length / total) * 1000, note });
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
	return items
		.map((item) => ({ item, at: random() }))
		.sort((a, b) => a.at - b.at)
		.map(({ item }) => item);
}

/** A linear congruential generator (Numerical Recipes' constants), so that every run measures the same order. */
function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}
