/** The middle of the samples, between the two middle ones when their number is even. NaN without samples. */
export function median(samples: readonly number[]): number {
	const sorted = [...samples].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] ?? Number.NaN;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export interface Ratio {
	/** Median of the rounds' ratios. */
	readonly value: number;
	/** A confidence interval of the median of at least 95 %, or as wide as the samples allow: `coverage` says how much. */
	readonly low: number;
	readonly high: number;
	readonly coverage: number;
	readonly n: number;
}

/**
 * How many times `subject` is `baseline`, compared round by round: what disturbed a round disturbed both. The interval is the exact one for a median, from
 * the order of the ratios alone, so it supposes nothing of how they are distributed.
 */
export function pairedRatio(subject: readonly number[], baseline: readonly number[]): Ratio | undefined {
	const ratios = subject
		.map((value, round) => value / (baseline[round] ?? Number.NaN))
		.filter((ratio) => Number.isFinite(ratio))
		.sort((a, b) => a - b);
	const n = ratios.length;
	if (n === 0) return undefined;
	// The narrowest pair of order statistics that covers 95 %.
	let rank = 0;
	while (rank + 1 < n / 2 && coverageOf(n, rank + 1) >= 0.95) rank++;
	return {
		value: median(ratios),
		low: ratios[rank] ?? Number.NaN,
		high: ratios[n - 1 - rank] ?? Number.NaN,
		coverage: coverageOf(n, rank),
		n,
	};
}

/** How probably the median lies between the order statistics `rank` and `n - 1 - rank`: 1 - 2 P(Binomial(n, 1/2) <= rank). */
function coverageOf(n: number, rank: number): number {
	let tail = 0;
	let term = 0.5 ** n;
	for (let k = 0; k <= rank; k++) {
		tail += term;
		term = (term * (n - k)) / (k + 1);
	}
	return 1 - 2 * tail;
}

/** The items in another order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
	const result = [...items];
	for (let i = result.length - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[result[i], result[j]] = [result[j] as T, result[i] as T];
	}
	return result;
}
