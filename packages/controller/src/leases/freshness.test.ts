import { describe, expect, it } from 'vitest';
import { createFreshness } from './freshness.ts';

/** An API with these subnets, of which the watch has shown some; lists are answered when the test says so. */
function open(there: string[], seen: string[]) {
	const answers: (() => void)[] = [];
	let lists = 0;
	const client = {
		list: async ({ plural }: { plural: string }) => {
			if (plural !== 'subnets') return { resourceVersion: '', items: [] };
			lists++;
			await new Promise<void>((resolve) => answers.push(resolve));
			return { resourceVersion: '', items: there.map((name) => ({ metadata: { name } })) };
		},
	};
	const objects = () => new Map(seen.map((name) => [name, {}]));
	const sources = {
		vpcs: { objects: new Map() },
		ipPools: { objects: new Map() },
		subnets: {
			get objects() {
				return objects();
			},
		},
	};
	const isFresh = createFreshness({ client, sources } as unknown as Parameters<typeof createFreshness>[0]);
	return {
		ask: () => isFresh(new AbortController().signal),
		answer: async () => {
			answers.shift()?.();
			await new Promise((resolve) => setImmediate(resolve));
		},
		lists: () => lists,
	};
}

describe('freshness', () => {
	it.each([
		[['a'], ['a', 'b'], true],
		[['a', 'b'], ['a'], false],
	])('there are %j, seen are %j: %s', async (there, seen, expected) => {
		const { ask, answer } = open(there, seen);
		const answered = ask();
		await answer();
		expect(await answered).toBe(expected);
	});

	it('looks once more for all who ask while a look is under way', async () => {
		const { ask, answer, lists } = open([], []);
		const all = [ask(), ask(), ask()];
		await answer();
		await answer();
		expect(await Promise.all(all)).toEqual([true, true, true]);
		expect(lists()).toBe(2);
		const again = ask();
		await answer();
		expect(await again).toBe(true);
		expect(lists()).toBe(3);
	});
});
