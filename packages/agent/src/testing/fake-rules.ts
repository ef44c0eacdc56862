import type { PortRules } from '@tapestry/network';
import type { DeviceRulesSource } from '../attach/device-rules.ts';

/** Rules that a test hands out. */
export class FakeRules implements DeviceRulesSource {
	readonly #rules = new Map<string, PortRules>();
	readonly #listeners = new Set<() => void>();

	set(rules: PortRules): void {
		this.#rules.set(rules.port, rules);
		for (const listener of this.#listeners) listener();
	}

	rulesOf(port: string): PortRules | undefined {
		return this.#rules.get(port);
	}

	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}
}
