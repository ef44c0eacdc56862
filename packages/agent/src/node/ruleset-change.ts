import { table } from './nft.ts';

/** What the node's table should hold: a base that seldom changes, and a unit for each service, which come and go by themselves. */
export interface Ruleset {
	/** Commands that make the table anew. */
	readonly base: readonly object[];
	/** By name. */
	readonly units: ReadonlyMap<string, RuleUnit>;
}

export interface RuleUnit {
	/** The rules of its chains, by the chain's name. Nothing but elements and rules of the unit itself lead to them. */
	readonly chains: ReadonlyMap<string, readonly object[]>;
	/** What leads to its chains: entries of the base's verdict maps. */
	readonly elements: readonly RuleElement[];
}

export interface RuleElement {
	readonly map: string;
	readonly key: object;
	/** Name of a chain of the unit or of the base. */
	readonly target: string;
}

/**
 * One nft transaction in JSON that leads from what was loaded to what is wanted: the whole table when nothing is known of it or its base changed, else
 * only the units that differ. Loading all again takes a node seconds when there are thousands of services. Undefined when nothing differs.
 */
export function transaction(before: Ruleset | undefined, after: Ruleset): string | undefined {
	if (before === undefined || !same(before.base, after.base)) {
		const units = [...after.units.values()];
		return render([
			...after.base,
			...units.flatMap(addChains),
			...units.flatMap(({ elements }) => elements.map((one) => element('add', one))),
		]);
	}
	const names = [...new Set([...before.units.keys(), ...after.units.keys()])];
	const changed = names.filter((name) => !same(unitText(before.units.get(name)), unitText(after.units.get(name))));
	if (changed.length === 0) return undefined;
	const old = changed.flatMap((name) => before.units.get(name) ?? []);
	const next = changed.flatMap((name) => after.units.get(name) ?? []);
	const kept = new Set(next.flatMap(({ chains }) => [...chains.keys()]));
	const oldChains = old.flatMap(({ chains }) => [...chains.keys()]);
	// A chain goes when nothing leads to it any more. An address may pass from one service to another: all leave before any comes.
	return render([
		...old.flatMap(({ elements }) => elements.map((one) => element('delete', one))),
		...oldChains.map((name) => ({ flush: { chain: chainOf(name) } })),
		...oldChains.filter((name) => !kept.has(name)).map((name) => ({ delete: { chain: chainOf(name) } })),
		...next.flatMap(addChains),
		...next.flatMap(({ elements }) => elements.map((one) => element('add', one))),
	]);
}

const chainOf = (name: string): object => ({ family: table.family, table: table.name, name });

function addChains({ chains }: RuleUnit): object[] {
	// Rules may lead to any chain of the unit.
	return [...[...chains.keys()].map((name) => ({ add: { chain: chainOf(name) } })), ...[...chains.values()].flat()];
}

function element(verb: 'add' | 'delete', { map, key, target }: RuleElement): object {
	return { [verb]: { element: { ...chainOf(map), elem: [[key, { goto: { target } }]] } } };
}

const unitText = (unit: RuleUnit | undefined): unknown => unit && [[...unit.chains], unit.elements];
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
const render = (commands: readonly object[]): string => JSON.stringify({ nftables: commands });
