import type { Clock, Logger, Signal } from '@tapestry/base';
import { Settler } from '../settler.ts';

export interface NodeRulesDeps<T> {
	readonly clock: Pick<Clock, 'after'>;
	readonly log: Logger;
	/** Loads an nftables transaction in JSON into the node's namespace. */
	readonly load: (json: string) => Promise<void>;
	/** Resolves when `wanted` knows all that there is. An agent that starts anew must not take away rules that it has yet to learn of. */
	readonly synced: (signal: Signal) => Promise<unknown>;
	/** The rules as they should be; undefined while that is not known, which changes nothing. */
	readonly wanted: () => T | undefined;
	/** The transaction that leads from what was loaded, where that is known, to what is wanted; undefined when nothing differs. */
	readonly change: (before: T | undefined, after: T) => string | undefined;
}

/** Keeps the node's nftables rules: loads them when they differ from what it loaded last. */
export class NodeRules<T> implements AsyncDisposable {
	readonly #deps: NodeRulesDeps<T>;
	readonly #settler: Settler;
	#loaded: T | undefined;

	constructor(deps: NodeRulesDeps<T>) {
		this.#deps = deps;
		this.#settler = new Settler(
			deps,
			(signal) => this.#settle(signal),
			(error) => deps.log.error('cannot load the rules of the node', { error }),
		);
		void this.look();
	}

	/** What the node has by now; undefined before the first time. */
	get loaded(): T | undefined {
		return this.#loaded;
	}

	/** What is wanted may have changed. Resolves when that has been acted upon; changes in the meantime are acted upon together. */
	look(): Promise<void> {
		return this.#settler.look();
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#settler.stop();
	}

	async #settle(signal: Signal): Promise<void> {
		const { log, synced, wanted, change } = this.#deps;
		await synced(signal);
		const rules = wanted();
		if (rules === undefined) return;
		try {
			await this.#load(rules, change(this.#loaded, rules));
		} catch (error) {
			if (this.#loaded === undefined) throw error;
			// Somebody has changed them.
			log.warn('the rules of the node are not what they were: loading all of them', { error });
			this.#loaded = undefined;
			await this.#load(rules, change(undefined, rules));
		}
	}

	async #load(rules: T, transaction: string | undefined): Promise<void> {
		if (transaction !== undefined) await this.#deps.load(transaction);
		this.#loaded = rules;
	}
}
