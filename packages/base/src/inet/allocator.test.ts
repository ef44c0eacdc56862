import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../errors.ts';
import { type AddressSpace, type Allocator, createAllocator } from './allocator.ts';
import { parseCidr } from './cidr.ts';
import { formatIp, type Ip, parseIp } from './ip.ts';
import { formatRangeList, mergeRanges, parseIpRange, rangesContain } from './ranges.ts';

const ip = (text: string): Ip => parseIp(text)!;
const ranges = (...texts: string[]) => mergeRanges(texts.map((text) => parseIpRange(text)!));

function space(cidr: string, gateway?: string, ...exclude: string[]): AddressSpace {
	return { cidr: parseCidr(cidr)!, gateway: gateway === undefined ? undefined : ip(gateway), exclude: ranges(...exclude) };
}

function codeOf(action: () => unknown): string | undefined {
	try {
		action();
		return undefined;
	} catch (error) {
		if (isCoded(error)) return error.code;
		throw error;
	}
}

function give(allocator: Allocator, ...owners: string[]): string[] {
	return owners.map((owner) => formatIp(allocator.allocate(owner)));
}

describe('order', () => {
	it('gives the lowest address first and passes over the gateway and excluded ones', () => {
		const allocator = createAllocator(space('10.0.0.0/28', '10.0.0.1', '10.0.0.3..10.0.0.5'));
		expect(give(allocator, 'a', 'b', 'c')).toEqual(['10.0.0.2', '10.0.0.6', '10.0.0.7']);
	});

	it('gives released addresses last, the longest released first', () => {
		const allocator = createAllocator(space('10.0.0.0/29', '10.0.0.1'));
		give(allocator, 'a', 'b', 'c');
		allocator.release('b');
		allocator.release('a');
		expect(give(allocator, 'd', 'e', 'f', 'g')).toEqual(['10.0.0.5', '10.0.0.6', '10.0.0.3', '10.0.0.2']);
		expect(codeOf(() => allocator.allocate('h'))).toBe('IPAM_FULL');
		allocator.release('e');
		expect(give(allocator, 'h')).toEqual(['10.0.0.6']);
	});

	it('gives an owner the same address again', () => {
		const allocator = createAllocator(space('10.0.0.0/29'));
		expect(give(allocator, 'a', 'a')).toEqual(['10.0.0.1', '10.0.0.1']);
		expect(allocator.using).toBe(1n);
	});

	it('stays inside a pool, by the same order', () => {
		const allocator = createAllocator(space('10.0.0.0/24', '10.0.0.1'));
		const pool = ranges('10.0.0.9..10.0.0.10', '10.0.0.20', 'fd00::1');
		const from = (owner: string) => formatIp(allocator.allocate(owner, { pool }));
		expect([from('a'), from('b'), from('c')]).toEqual(['10.0.0.9', '10.0.0.10', '10.0.0.20']);
		expect(codeOf(() => from('d'))).toBe('IPAM_FULL');
		allocator.release('c');
		allocator.release('a');
		expect([from('d'), from('e')]).toEqual(['10.0.0.20', '10.0.0.9']);
	});
});

describe('claims', () => {
	const allocator = createAllocator(space('10.0.0.0/24', '10.0.0.1', '10.0.0.1..10.0.0.9'));
	allocator.claim('a', ip('10.0.0.5'));

	it.each([
		['10.0.0.5', 'IPAM_TAKEN', /10\.0\.0\.5 is taken: a has it/],
		['10.0.0.1', 'IPAM_RESERVED', /it is the gateway/],
		['10.0.0.0', 'IPAM_RESERVED', /network itself/],
		['10.0.0.255', 'IPAM_RESERVED', /broadcast/],
		['10.0.1.5', 'IPAM_OUTSIDE', /not in 10\.0\.0\.0\/24/],
		['fd00::5', 'IPAM_OUTSIDE', /not in 10\.0\.0\.0\/24/],
	])('refuses %s with %s', (text, code, message) => {
		expect(codeOf(() => allocator.claim('b', ip(text)))).toBe(code);
		expect(() => allocator.claim('b', ip(text))).toThrow(message);
		expect(allocator.addressOf('b')).toBeUndefined();
	});

	it('may be for an excluded address, which nobody gets by itself when it is released', () => {
		const own = createAllocator(space('10.0.0.0/30', '10.0.0.1', '10.0.0.2'));
		expect(own.available).toBe(0n);
		expect(formatIp(own.claim('a', ip('10.0.0.2')))).toBe('10.0.0.2');
		own.release('a');
		expect(codeOf(() => own.allocate('b'))).toBe('IPAM_FULL');
	});

	it('may be repeated, but not for another address', () => {
		expect(formatIp(allocator.claim('a', ip('10.0.0.5')))).toBe('10.0.0.5');
		expect(codeOf(() => allocator.claim('a', ip('10.0.0.6')))).toBe('IPAM_HOLDS_OTHER');
	});

	it('names the holder in the details', () => {
		try {
			allocator.claim('b', ip('10.0.0.5'));
			expect.unreachable();
		} catch (error) {
			expect(isCoded(error, 'IPAM_TAKEN') && error.details).toEqual({ holder: 'a' });
		}
	});
});

describe('blocks of every size', () => {
	it.each([
		['10.0.0.0/32', 1n],
		['10.0.0.0/31', 2n],
		['10.0.0.0/30', 2n],
		['10.0.0.0/24', 254n],
		['10.0.0.0/8', 2n ** 24n - 2n],
		['fd00::/128', 1n],
		['fd00::/127', 2n],
		['fd00::/126', 3n],
		['fd00::/64', 2n ** 64n - 1n],
	])('%s holds %s', (cidr, count) => {
		const allocator = createAllocator(space(cidr));
		expect(allocator.available).toBe(count);
		expect(allocator.allocate('a').family).toBe(cidr.includes(':') ? 6 : 4);
	});

	it('does not give the Subnet-Router anycast address, nor pass over the last one', () => {
		const allocator = createAllocator(space('fd00::/126'));
		expect(give(allocator, 'a', 'b', 'c')).toEqual(['fd00::1', 'fd00::2', 'fd00::3']);
	});
});

describe('status', () => {
	it('tells counts and ranges', () => {
		const allocator = createAllocator(space('10.16.0.0/28', '10.16.0.1'));
		give(allocator, 'a', 'b', 'c');
		allocator.release('b');
		expect(formatRangeList(allocator.usingRanges())).toBe('10.16.0.2,10.16.0.4');
		expect(formatRangeList(allocator.availableRanges())).toBe('10.16.0.3,10.16.0.5-10.16.0.14');
		expect([allocator.using, allocator.available]).toEqual([2n, 11n]);
	});
});

describe('restore', () => {
	it('takes leases as they stand and refuses a second owner', () => {
		const allocator = createAllocator(space('10.0.0.0/29', '10.0.0.1'));
		const leases = [
			{ owner: 'a', ip: ip('10.0.0.2') },
			{ owner: 'b', ip: ip('10.0.0.2') },
			{ owner: 'a', ip: ip('10.0.0.2') },
			{ owner: 'a', ip: ip('10.0.0.3') },
			{ owner: 'gateway', ip: ip('10.0.0.1') },
			{ owner: 'outside', ip: ip('10.9.9.9') },
			{ owner: 'other family', ip: ip('fd00::2') },
		];
		expect(allocator.restore(leases).map(({ owner, ip: lost }) => `${owner} ${formatIp(lost)}`)).toEqual([
			'b 10.0.0.2',
			'a 10.0.0.3',
			'other family fd00::2',
		]);
		expect(allocator.holder(ip('10.9.9.9'))).toBe('outside');
		expect(allocator.using).toBe(3n);
		expect(give(allocator, 'c')).toEqual(['10.0.0.3']);
	});
});

describe('resize', () => {
	it('grows in place', () => {
		const allocator = createAllocator(space('10.0.0.0/30', '10.0.0.1'));
		give(allocator, 'a');
		expect(allocator.resize(space('10.0.0.0/29', '10.0.0.1'))).toEqual([]);
		expect(give(allocator, 'b', 'a')).toEqual(['10.0.0.3', '10.0.0.2']);
	});

	it('keeps the order of released addresses and drops those that left', () => {
		const allocator = createAllocator(space('10.0.0.0/29', '10.0.0.1'));
		give(allocator, 'a', 'b', 'c', 'd', 'e');
		for (const owner of ['d', 'a', 'b']) allocator.release(owner);
		allocator.resize(space('10.0.0.0/29', '10.0.0.1', '10.0.0.2'));
		expect(give(allocator, 'f', 'g')).toEqual(['10.0.0.5', '10.0.0.3']);
		expect(codeOf(() => allocator.allocate('h'))).toBe('IPAM_FULL');
	});

	it('names the leases that do not fit any more, and keeps them', () => {
		const allocator = createAllocator(space('10.0.0.0/28', '10.0.0.1'));
		allocator.claim('a', ip('10.0.0.9'));
		allocator.claim('b', ip('10.0.0.2'));
		expect(allocator.resize(space('10.0.0.0/29', '10.0.0.2')).map(({ owner }) => owner)).toEqual(['a', 'b']);
		expect(allocator.holder(ip('10.0.0.9'))).toBe('a');
	});
});

describe('against a plain model', () => {
	const address = fc.integer({ min: 0, max: 17 }).map((low) => `10.0.0.${low}`);
	const owner = fc.constantFrom(...'abcdefghijkl');
	const poolList = fc.array(address, { minLength: 1, maxLength: 5 }).map((list) => ranges(...list));
	const exclude = fc.array(address, { maxLength: 4 }).map((list) => ranges(...list));
	const command = fc.oneof(
		fc.record({ do: fc.constant('allocate' as const), owner }),
		fc.record({ do: fc.constant('allocate' as const), owner, pool: poolList }),
		fc.record({ do: fc.constant('claim' as const), owner, address }),
		fc.record({ do: fc.constant('release' as const), owner }),
		fc.record({ do: fc.constant('resize' as const), wide: fc.boolean(), exclude }),
	);

	it('never gives an address twice, nor one that it must not', () => {
		fc.assert(
			fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
				let now: AddressSpace = space('10.0.0.0/28', '10.0.0.1');
				const allocator = createAllocator(now);
				const model = new Map<string, string>();
				let released: string[] = [];
				const all = Array.from({ length: 32 }, (_, low) => `10.0.0.${low}`);
				const claimable = (text: string) => {
					const last = now.cidr.prefix === 28 ? 15 : 31;
					const low = Number(text.split('.')[3]);
					return low > 1 && low < last;
				};
				const usable = (text: string) => claimable(text) && !rangesContain(now.exclude!, ip(text));
				const taken = (text: string) => [...model.values()].includes(text);
				for (const step of commands) {
					if (step.do === 'allocate') {
						const pool = 'pool' in step ? step.pool : undefined;
						const fits = (text: string) => usable(text) && !taken(text) && (!pool || rangesContain(pool, ip(text)));
						const expected =
							model.get(step.owner) ?? all.find((text) => fits(text) && !released.includes(text)) ?? released.find((text) => fits(text));
						const options = pool ? { pool } : {};
						if (expected === undefined) expect(codeOf(() => allocator.allocate(step.owner, options))).toBe('IPAM_FULL');
						else {
							expect(formatIp(allocator.allocate(step.owner, options))).toBe(expected);
							model.set(step.owner, expected);
							released = released.filter((text) => text !== expected);
						}
					} else if (step.do === 'claim') {
						const held = model.get(step.owner);
						const possible = held === undefined ? claimable(step.address) && !taken(step.address) : held === step.address;
						expect(codeOf(() => allocator.claim(step.owner, ip(step.address))) === undefined).toBe(possible);
						if (possible) {
							model.set(step.owner, step.address);
							released = released.filter((text) => text !== step.address);
						}
					} else if (step.do === 'release') {
						const held = model.get(step.owner);
						const answer = allocator.release(step.owner);
						expect(answer && formatIp(answer)).toBe(held);
						model.delete(step.owner);
						if (held !== undefined && usable(held)) released.push(held);
					} else {
						now = { ...space(step.wide ? '10.0.0.0/27' : '10.0.0.0/28', '10.0.0.1'), exclude: step.exclude };
						const lost = allocator.resize(now).map(({ owner: name }) => name);
						expect(lost.sort()).toEqual(
							[...model]
								.filter(([, text]) => !claimable(text))
								.map(([name]) => name)
								.sort(),
						);
						released = released.filter((text) => usable(text));
					}
					const free = all.filter((text) => usable(text) && !taken(text));
					expect(allocator.using).toBe(BigInt(model.size));
					expect(allocator.available).toBe(BigInt(free.length));
					expect(formatRangeList(allocator.availableRanges())).toBe(formatRangeList(ranges(...free)));
					expect(formatRangeList(allocator.usingRanges())).toBe(formatRangeList(ranges(...model.values())));
					for (const [name, text] of model) expect(allocator.holder(ip(text))).toBe(name);
				}
				const rebuilt = createAllocator(now);
				rebuilt.restore(Array.from(model, ([name, text]) => ({ owner: name, ip: ip(text) })));
				expect([...rebuilt.availableRanges()]).toEqual([...allocator.availableRanges()]);
				expect([...rebuilt.usingRanges()]).toEqual([...allocator.usingRanges()]);
			}),
			{ numRuns: 300 },
		);
	});
});
