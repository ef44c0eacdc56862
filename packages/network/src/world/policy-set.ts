import type { PolicyFacts, PortNameFacts, SelectorFacts } from './policies.ts';
import { selectorKey } from './selector.ts';
import type { World } from './world.ts';

export type PolicyKind = 'NetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy';

/** What a policy says, with the selectors and port names that it speaks of. */
export interface PolicyReading {
	readonly facts: PolicyFacts;
	readonly selectors: readonly Pick<SelectorFacts, 'namespaces' | 'pods'>[];
	readonly portNames: readonly PortNameFacts[];
}

interface Use<T> {
	readonly facts: T;
	readonly users: Set<string>;
}

/** Puts policies into the world, and with them each selector and port name once, however many policies have it. */
export class PolicySet {
	readonly #world: World;
	readonly #readings = new Map<string, PolicyReading>();
	readonly #selectors = new Map<string, Use<Pick<SelectorFacts, 'namespaces' | 'pods'>>>();
	readonly #portNames = new Map<string, Use<PortNameFacts>>();

	constructor(world: World) {
		this.#world = world;
	}

	/** Sets a policy, or removes it when `reading` is undefined. */
	set(kind: PolicyKind, key: string, reading: PolicyReading | undefined): void {
		const id = `${kind}/${key}`;
		const before = this.#readings.get(id);
		if (reading) this.#readings.set(id, reading);
		else this.#readings.delete(id);
		const selectors = new Map([...(before?.selectors ?? []), ...(reading?.selectors ?? [])].map((one) => [selectorKey(one), one] as const));
		const stays = new Set(reading?.selectors.map(selectorKey));
		for (const [name, facts] of selectors) {
			use(this.#selectors, name, facts, id, stays.has(name));
			this.#publishSelector(name);
		}
		const portNames = new Map([...(before?.portNames ?? []), ...(reading?.portNames ?? [])].map((one) => [portNameKey(one), one] as const));
		const named = new Set(reading?.portNames.map(portNameKey));
		for (const [name, facts] of portNames) {
			use(this.#portNames, name, facts, id, named.has(name));
			this.#world.set('PortName', name, this.#portNames.get(name)?.facts);
		}
		this.#world.set(kind, key, reading?.facts);
	}

	#publishSelector(key: string): void {
		const selector = this.#selectors.get(key);
		const subjectOf = [...(selector?.users ?? [])].filter((id) => this.#readings.get(id)?.facts.subject === key);
		this.#world.set('Selector', key, selector && { ...selector.facts, subjectOf: subjectOf.sort() });
	}
}

function use<T>(uses: Map<string, Use<T>>, key: string, facts: T, user: string, isUsed: boolean): void {
	const entry = uses.get(key) ?? { facts, users: new Set<string>() };
	if (isUsed) uses.set(key, { facts, users: entry.users.add(user) });
	else if (entry.users.delete(user) && entry.users.size === 0) uses.delete(key);
}

function portNameKey({ protocol, name }: PortNameFacts): string {
	return `${protocol}/${name}`;
}
