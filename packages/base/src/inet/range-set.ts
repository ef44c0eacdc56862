interface Range {
	first: bigint;
	last: bigint;
}

/**
 * A set of integers, kept as the fewest ranges: its cost follows the number of gaps, not the number of members. The ranges lie in chunks of
 * bounded length, because splicing one array of some ten thousand costs a hundred microseconds.
 */
export class RangeSet {
	/** Ascending throughout; no chunk is empty. */
	readonly #chunks: Range[][] = [];
	readonly #chunkLimit: number;
	#size = 0n;

	/** The ranges are ascending and do not touch. A chunk of more than `chunkLimit` ranges is split. */
	constructor(ranges: Iterable<Readonly<Range>> = [], chunkLimit = 512) {
		this.#chunkLimit = chunkLimit;
		let chunk: Range[] = [];
		for (const { first, last } of ranges) {
			if (chunk.length % chunkLimit === 0) {
				chunk = [];
				this.#chunks.push(chunk);
			}
			chunk.push({ first, last });
			this.#size += last - first + 1n;
		}
	}

	/** The number of members. */
	get size(): bigint {
		return this.#size;
	}

	/** The smallest member, or the smallest from `first` to `last`. */
	lowest(first?: bigint, last?: bigint): bigint | undefined {
		if (first === undefined) return this.#chunks[0]?.[0]?.first;
		const [at, index] = this.#find(first);
		const range = this.#chunks[at]?.[index];
		if (!range) return undefined;
		const lowest = range.first > first ? range.first : first;
		return last === undefined || lowest <= last ? lowest : undefined;
	}

	has(value: bigint): boolean {
		const [at, index] = this.#find(value);
		const range = this.#chunks[at]?.[index];
		return range !== undefined && range.first <= value;
	}

	/** Returns false when the value is a member already. */
	add(value: bigint): boolean {
		const [at, index] = this.#find(value);
		const next = this.#chunks[at]?.[index];
		if (next && next.first <= value) return false;
		const before = index > 0 ? this.#chunks[at]?.[index - 1] : this.#chunks[at - 1]?.at(-1);
		if (before?.last === value - 1n) {
			before.last = value;
			if (next?.first === value + 1n) {
				before.last = next.last;
				this.#remove(at, index);
			}
		} else if (next?.first === value + 1n) next.first = value;
		else this.#insert(at, index, { first: value, last: value });
		this.#size += 1n;
		return true;
	}

	/** Returns false when the value is not a member. */
	delete(value: bigint): boolean {
		const [at, index] = this.#find(value);
		const range = this.#chunks[at]?.[index];
		if (!range || range.first > value) return false;
		if (range.first === range.last) this.#remove(at, index);
		else if (range.first === value) range.first = value + 1n;
		else if (range.last === value) range.last = value - 1n;
		else {
			this.#insert(at, index, { first: range.first, last: value - 1n });
			range.first = value + 1n;
		}
		this.#size -= 1n;
		return true;
	}

	/** Ascending. */
	*ranges(): Generator<Readonly<Range>> {
		for (const chunk of this.#chunks) yield* chunk;
	}

	/** Where the first range is that does not end before the value: chunk and index, past the end of the last chunk when there is none. */
	#find(value: bigint): readonly [number, number] {
		const at = Math.min(
			firstIndex(this.#chunks, (chunk) => (chunk.at(-1)?.last ?? value) >= value),
			Math.max(this.#chunks.length - 1, 0),
		);
		return [at, firstIndex(this.#chunks[at] ?? [], (range) => range.last >= value)];
	}

	#insert(at: number, index: number, range: Range): void {
		const chunk = this.#chunks[at];
		if (!chunk) {
			this.#chunks.push([range]);
			return;
		}
		chunk.splice(index, 0, range);
		if (chunk.length > this.#chunkLimit) this.#chunks.splice(at + 1, 0, chunk.splice(this.#chunkLimit >>> 1));
	}

	#remove(at: number, index: number): void {
		const chunk = this.#chunks[at];
		chunk?.splice(index, 1);
		if (chunk?.length === 0) this.#chunks.splice(at, 1);
	}
}

/** The index of the first item that passes, when all after it pass too; the length when none does. */
function firstIndex<T>(items: readonly T[], passes: (item: T) => boolean): number {
	let low = 0;
	let high = items.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const item = items[middle];
		if (item !== undefined && !passes(item)) low = middle + 1;
		else high = middle;
	}
	return low;
}
