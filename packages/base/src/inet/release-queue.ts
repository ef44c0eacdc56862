interface Entry {
	readonly value: bigint;
	readonly turn: number;
}

/**
 * Values in the order in which they came, with removal from the middle. Not a Map with its insertion order: finding the first key of one
 * whose oldest keys keep being deleted walks over all that were deleted since its last rehash.
 */
export class ReleaseQueue {
	readonly #turns = new Map<bigint, number>();
	#entries: Entry[] = [];
	#head = 0;
	#turn = 0;

	get size(): number {
		return this.#turns.size;
	}

	add(value: bigint): void {
		const turn = this.#turn++;
		this.#turns.set(value, turn);
		this.#entries.push({ value, turn });
		// Amortised: as many entries were added or passed since the last time as are looked at now.
		if (this.#entries.length > 2 * this.#turns.size + 1024) {
			this.#entries = this.#entries.filter((entry) => this.#isLive(entry));
			this.#head = 0;
		}
	}

	/** Leaves the entry behind: it no longer matches its turn, so it is passed over. */
	delete(value: bigint): boolean {
		return this.#turns.delete(value);
	}

	/** The value that has waited longest. */
	oldest(): bigint | undefined {
		for (let entry = this.#entries[this.#head]; entry; entry = this.#entries[++this.#head]) {
			if (this.#isLive(entry)) return entry.value;
		}
		return undefined;
	}

	/** When the value came, as a number to compare with others; undefined when it is not here. */
	turnOf(value: bigint): number | undefined {
		return this.#turns.get(value);
	}

	/** From the oldest to the newest. */
	*values(): Generator<bigint> {
		for (let at = this.#head; at < this.#entries.length; at++) {
			const entry = this.#entries[at];
			if (entry && this.#isLive(entry)) yield entry.value;
		}
	}

	#isLive(entry: Entry): boolean {
		return this.#turns.get(entry.value) === entry.turn;
	}
}
