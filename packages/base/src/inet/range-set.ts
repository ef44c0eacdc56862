/** A set of integers, kept as the fewest ranges: its cost follows the number of gaps, not the number of members. */
export class RangeSet {
	// Two plain arrays, ascending: searching and splicing them is several times faster than an array of objects.
	readonly #firsts: bigint[] = [];
	readonly #lasts: bigint[] = [];
	#size = 0n;

	/** The ranges are ascending and do not touch. */
	constructor(ranges: Iterable<{ readonly first: bigint; readonly last: bigint }> = []) {
		for (const { first, last } of ranges) {
			this.#firsts.push(first);
			this.#lasts.push(last);
			this.#size += last - first + 1n;
		}
	}

	/** The number of members. */
	get size(): bigint {
		return this.#size;
	}

	/** The smallest member, or the smallest from `first` to `last`. */
	lowest(first?: bigint, last?: bigint): bigint | undefined {
		if (first === undefined) return this.#firsts[0];
		const at = this.#search(first);
		const start = this.#firsts[at];
		if (start === undefined) return undefined;
		const lowest = start > first ? start : first;
		return last === undefined || lowest <= last ? lowest : undefined;
	}

	has(value: bigint): boolean {
		const first = this.#firsts[this.#search(value)];
		return first !== undefined && first <= value;
	}

	/** Returns false when the value is a member already. */
	add(value: bigint): boolean {
		const at = this.#search(value);
		const next = this.#firsts[at];
		if (next !== undefined && next <= value) return false;
		const joinsBefore = at > 0 && this.#lasts[at - 1] === value - 1n;
		const joinsAfter = next === value + 1n;
		if (joinsBefore && joinsAfter) {
			this.#firsts.splice(at, 1);
			this.#lasts.splice(at - 1, 1);
		} else if (joinsBefore) this.#lasts[at - 1] = value;
		else if (joinsAfter) this.#firsts[at] = value;
		else {
			this.#firsts.splice(at, 0, value);
			this.#lasts.splice(at, 0, value);
		}
		this.#size += 1n;
		return true;
	}

	/** Returns false when the value is not a member. */
	delete(value: bigint): boolean {
		const at = this.#search(value);
		const first = this.#firsts[at];
		const last = this.#lasts[at];
		if (first === undefined || last === undefined || first > value) return false;
		if (first === last) {
			this.#firsts.splice(at, 1);
			this.#lasts.splice(at, 1);
		} else if (first === value) this.#firsts[at] = value + 1n;
		else if (last === value) this.#lasts[at] = value - 1n;
		else {
			this.#firsts.splice(at + 1, 0, value + 1n);
			this.#lasts.splice(at, 0, value - 1n);
		}
		this.#size -= 1n;
		return true;
	}

	/** Ascending. */
	*ranges(): Generator<{ readonly first: bigint; readonly last: bigint }> {
		for (const [at, first] of this.#firsts.entries()) yield { first, last: this.#lasts[at] ?? first };
	}

	/** The index of the first range that does not end before the value. */
	#search(value: bigint): number {
		let low = 0;
		let high = this.#lasts.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#lasts[middle] ?? value) < value) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
