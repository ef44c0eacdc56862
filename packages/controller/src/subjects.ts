import { type SelectorFacts, selectorKey, selects, type World } from '@tapestry/network';

/**
 * Knows which ports policies are about, to say so when there is none. It follows the world lease by lease; `onChange` gets the policies, as
 * `Kind/namespace/name`, that found their first port or lost their last.
 */
export class Subjects implements Disposable {
	readonly #world: World;
	readonly #onChange: (owner: string) => void;
	/** Names of the ports by subject: the key of a selector, or of a security group. */
	readonly #ports = new Map<string, Set<string>>();
	readonly #subjects = new Map<string, ReadonlySet<string>>();
	readonly #stop: () => void;

	constructor(world: World, onChange: (owner: string) => void) {
		this.#world = world;
		this.#onChange = onChange;
		for (const name of world.keys('IP')) this.#place(name);
		this.#stop = world.onChange((kind, key) => {
			if (kind === 'IP') this.#place(key);
			// Rare beside changes of ports: policies with a new selector, and labels of namespaces.
			if (kind === 'Selector' || kind === 'Namespace') for (const name of world.keys('IP')) this.#place(name);
		});
	}

	/** How many ports a policy or security group is about. */
	count(owner: string): number {
		const [kind, ...rest] = owner.split('/');
		const key = rest.join('/');
		if (kind === 'SecurityGroup') return this.#ports.get(owner)?.size ?? 0;
		const policy = this.#world.get(kind as 'NetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy', key);
		return policy ? (this.#ports.get(policy.subject)?.size ?? 0) : 0;
	}

	[Symbol.dispose](): void {
		this.#stop();
	}

	#place(name: string): void {
		const before = this.#subjects.get(name) ?? new Set();
		const after = this.#subjectsOf(name);
		if (after.size > 0) this.#subjects.set(name, after);
		else this.#subjects.delete(name);
		for (const subject of after) if (!before.has(subject)) this.#enter(subject, name);
		for (const subject of before) if (!after.has(subject)) this.#leave(subject, name);
	}

	#subjectsOf(name: string): ReadonlySet<string> {
		const lease = this.#world.get('IP', name);
		if (!lease) return new Set();
		const read = this.#world.reader(() => {});
		const labels = this.#world.get('Namespace', lease.namespace)?.labels ?? {};
		const near: readonly SelectorFacts[] = [...read.list('Selector', 'scope', lease.namespace), ...read.list('Selector', 'scope', '*')];
		const selectors = near.filter((selector) => selector.subjectOf.length > 0 && selects(selector, lease, labels));
		return new Set([...selectors.map(selectorKey), ...lease.securityGroups.map((group) => `SecurityGroup/${group}`)]);
	}

	#enter(subject: string, name: string): void {
		const ports = this.#ports.get(subject) ?? new Set();
		this.#ports.set(subject, ports.add(name));
		if (ports.size === 1) this.#tell(subject);
	}

	#leave(subject: string, name: string): void {
		const ports = this.#ports.get(subject);
		ports?.delete(name);
		if (ports?.size !== 0) return;
		this.#ports.delete(subject);
		this.#tell(subject);
	}

	#tell(subject: string): void {
		if (subject.startsWith('SecurityGroup/')) this.#onChange(subject);
		else for (const owner of this.#world.get('Selector', subject)?.subjectOf ?? []) this.#onChange(owner);
	}
}
