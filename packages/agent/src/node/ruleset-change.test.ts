import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Ruleset, type RuleUnit, transaction } from './ruleset-change.ts';

/** What nft would hold: it refuses to delete what is not there, to add what is, and to delete a chain that something leads to. */
class Model {
	chains = new Map<string, string[]>();
	elements = new Map<string, string>();

	apply(json: string): void {
		for (const command of JSON.parse(json).nftables) {
			const [[verb, what]] = Object.entries(command) as [
				[string, Record<string, { name: string; chain: string; elem: [[unknown, { goto: { target: string } }]] }>],
			];
			if (what.table) {
				this.chains.clear();
				this.elements.clear();
			}
			if (what.chain) this.chain(verb, what.chain.name);
			if (what.rule) this.chains.get(what.rule.chain)?.push(JSON.stringify(what.rule));
			if (what.element)
				this.element(verb, `${what.element.name} ${JSON.stringify(what.element.elem[0][0])}`, what.element.elem[0][1].goto.target);
		}
	}

	chain(verb: string, name: string): void {
		if (verb === 'add' && !this.chains.has(name)) this.chains.set(name, []);
		if (verb !== 'add') expect(this.chains.has(name)).toBe(true);
		if (verb === 'flush') this.chains.set(name, []);
		if (verb === 'delete') {
			expect([...this.elements.values()]).not.toContain(name);
			this.chains.delete(name);
		}
	}

	element(verb: string, key: string, target: string): void {
		expect(this.elements.has(key)).toBe(verb === 'delete');
		if (verb === 'delete') this.elements.delete(key);
		else {
			expect(this.chains.has(target)).toBe(true);
			this.elements.set(key, target);
		}
	}

	get content() {
		return [[...this.chains].sort(), [...this.elements].sort()];
	}
}

const names = ['a', 'b', 'c', 'd'];
/** Services with an address and a few variants of rules; two never have one address, as `nodeServices` sees to it. */
const rulesets = fc
	.record({
		base: fc.constantFrom('x', 'y'),
		units: fc.dictionary(fc.constantFrom(...names), fc.record({ rule: fc.nat(2), more: fc.boolean() })),
		turn: fc.nat(3),
	})
	.map(({ base, units, turn }): Ruleset => {
		const unit = (name: string, rule: number, more: boolean): RuleUnit => ({
			chains: new Map([name, ...(more ? [`${name}/cluster`] : [])].map((chain) => [chain, [{ add: { rule: { chain, rule } } }]])),
			elements: [{ map: 'v4', key: { address: (names.indexOf(name) + turn) % 4 }, target: name }],
		});
		return {
			base: [{ add: { table: base } }],
			units: new Map(Object.entries(units).map(([name, { rule, more }]) => [name, unit(name, rule, more)])),
		};
	});

it('leads from any rules to any others, in steps that nft accepts', () => {
	fc.assert(
		fc.property(fc.array(rulesets, { minLength: 1, maxLength: 5 }), (states) => {
			const model = new Model();
			let before: Ruleset | undefined;
			for (const state of states) {
				const change = transaction(before, state);
				if (change !== undefined) model.apply(change);
				const whole = new Model();
				whole.apply(transaction(undefined, state) ?? '{"nftables":[]}');
				expect(model.content).toEqual(whole.content);
				before = state;
			}
		}),
		{ numRuns: 300 },
	);
});

it('says nothing when nothing differs, and only what differs', () => {
	const unit = (rule: number): RuleUnit => ({ chains: new Map([['a', [{ rule }]]]), elements: [] });
	const state = (rule: number): Ruleset => ({
		base: [],
		units: new Map([
			['a', unit(rule)],
			['b', unit(0)],
		]),
	});
	expect(transaction(state(1), state(1))).toBeUndefined();
	expect(JSON.parse(transaction(state(1), state(2)) ?? '').nftables).toHaveLength(3);
});
