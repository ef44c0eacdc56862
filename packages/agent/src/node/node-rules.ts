import type { Logger, Signal } from '@tapestry/base';
import { Settler } from '../settler.ts';

export interface NodeRulesDeps {
	readonly log: Logger;
	/** Loads an nftables transaction in JSON into the node's namespace. */
	readonly load: (json: string) => Promise<void>;
	/** Resolves when `wanted` knows all that there is. An agent that starts anew must not take away rules that it has yet to learn of. */
	readonly synced: (signal: Signal) => Promise<unknown>;
	/** The transaction that makes the rules as they should be; undefined while that is not known, which changes nothing. */
	readonly wanted: () => string | undefined;
}

/** Keeps the node's nftables rules: loads them when they differ from what it loaded last. */
export class NodeRules implements AsyncDisposable {
	readonly #deps: NodeRulesDeps;
	readonly #settler: Settler;
	#loaded = '';

	constructor(deps: NodeRulesDeps) {
		this.#deps = deps;
		this.#settler = new Settler(
			(signal) => this.#settle(signal),
			(error) => deps.log.error('cannot load the rules of the node', { error }),
		);
		void this.look();
	}

	/** What is wanted may have changed. Resolves when that has been acted upon; changes in the meantime are acted upon together. */
	look(): Promise<void> {
		return this.#settler.look();
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#settler.stop();
	}

	async #settle(signal: Signal): Promise<void> {
		const { synced, wanted, load } = this.#deps;
		await synced(signal);
		const rules = wanted();
		if (rules === undefined || rules === this.#loaded) return;
		await load(rules);
		this.#loaded = rules;
	}
}
