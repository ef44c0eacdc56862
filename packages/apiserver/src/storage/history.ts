import type { ApiObject } from '../objects.ts';

/** One committed change. For DELETED, `object` is the last state with the resourceVersion of the deletion. */
export interface Change {
	readonly rv: number;
	readonly resource: string;
	readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
	readonly before: ApiObject | undefined;
	readonly object: ApiObject;
}

/** The latest changes of one resource, so that a watch can resume where it broke off. */
export class History {
	#changes: Change[] = [];
	/** Changes up to and including this resourceVersion are forgotten. */
	#floor: number;
	readonly #limit: number;

	constructor(floor: number, limit: number) {
		this.#floor = floor;
		this.#limit = limit;
	}

	push(change: Change): void {
		this.#changes.push(change);
		// Drops in halves: one splice per limit/2 changes instead of a shift for each.
		if (this.#changes.length < this.#limit * 1.5) return;
		const dropped = this.#changes.splice(0, this.#changes.length - this.#limit);
		this.#floor = dropped.at(-1)?.rv ?? this.#floor;
	}

	/** The changes after `rv`, oldest first; undefined when some of them are forgotten. */
	since(rv: number): readonly Change[] | undefined {
		if (rv < this.#floor) return undefined;
		let low = 0;
		let high = this.#changes.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#changes[middle]?.rv ?? 0) <= rv) low = middle + 1;
			else high = middle;
		}
		return this.#changes.slice(low);
	}
}
