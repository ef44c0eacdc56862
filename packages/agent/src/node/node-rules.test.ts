import { silentLogger } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../../kube/src/testing/fake-clock.ts';
import { NodeRules, type NodeRulesDeps } from './node-rules.ts';

const change = (before: string | undefined, after: string): string | undefined =>
	before === after ? undefined : `${before ?? ''}>${after}`;

function start(deps: Partial<NodeRulesDeps<string>>): { readonly rules: NodeRules<string>; readonly loaded: string[] } {
	const loaded: string[] = [];
	const load = async (json: string): Promise<void> => void loaded.push(json);
	return {
		rules: new NodeRules({
			clock: createFakeClock(),
			log: silentLogger,
			load,
			synced: () => Promise.resolve(),
			wanted: () => undefined,
			change,
			...deps,
		}),
		loaded,
	};
}

describe("keeping the node's rules", () => {
	it('loads what changed, and nothing twice', async () => {
		let wanted: string | undefined;
		const { rules, loaded } = start({ wanted: () => wanted });
		for (const next of [undefined, 'a', 'a', 'b', undefined, 'b']) {
			wanted = next;
			await rules.look();
		}
		expect(loaded).toEqual(['>a', 'a>b']);
	});

	it('makes one transaction of a burst', async () => {
		let wanted = 0;
		const { rules, loaded } = start({ wanted: () => `${wanted}` });
		await rules.look();
		const looks = Array.from({ length: 100 }, () => {
			wanted++;
			return rules.look();
		});
		await Promise.all(looks);
		expect(loaded).toEqual(['>0', '0>100']);
	});

	it('loads nothing before everything is known', async () => {
		const synced = Promise.withResolvers<void>();
		const { rules, loaded } = start({ synced: () => synced.promise, wanted: () => 'a' });
		const looked = rules.look();
		await new Promise(setImmediate);
		expect(loaded).toEqual([]);
		synced.resolve();
		await looked;
		expect(loaded).toEqual(['>a']);
	});

	it('tells of a refusal and tries again at the next change', async () => {
		const told: unknown[] = [];
		const refusals = [new Error('nft refused')];
		const { rules } = start({
			log: { ...silentLogger, error: (_message, fields) => told.push(fields?.error) },
			load: async () => {
				const refusal = refusals.pop();
				if (refusal) throw refusal;
				told.push('loaded');
			},
			wanted: () => 'a',
		});
		await rules.look();
		await rules.look();
		expect(told).toEqual([expect.objectContaining({ message: 'nft refused' }), 'loaded']);
	});

	it('loads all when a change is refused, because somebody has changed the rules', async () => {
		const loads: string[] = [];
		let wanted = 'a';
		const load = async (json: string): Promise<void> => {
			loads.push(json);
			if (json === 'a>b') throw new Error('no such chain');
		};
		const { rules } = start({ load, wanted: () => wanted });
		await rules.look();
		wanted = 'b';
		await rules.look();
		expect(loads).toEqual(['>a', 'a>b', '>b']);
	});

	it('can be stopped while it waits', async () => {
		const { rules, loaded } = start({
			synced: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
			wanted: () => 'a',
		});
		await rules[Symbol.asyncDispose]();
		expect(loaded).toEqual([]);
	});
});
