import type { Answer } from './ping-line.ts';

/** A stretch of time, in milliseconds since the epoch. */
export interface Stretch {
	readonly from: number;
	readonly to: number;
}

/** What a stretch of time did to a flow of pings. */
export interface FlowMeasure {
	/** Longest time without an answer. An undisturbed flow has its interval here, and what the machine's load adds. */
	readonly longestGapMs: number;
	/** Sequence numbers that were sent and not answered. A send that fails (ENOBUFS) takes none, so the gap can tell of more than this does. */
	readonly lost: number;
	/** Whether the stretch ends with answers coming. */
	readonly answering: boolean;
}

/** A flow whose last answer is older than this is silent. */
const silentAfterMs = 1000;

/** Measures by the times of the answers, in the order in which they came. */
export function measureFlow(answers: readonly Answer[], { from, to }: Stretch): FlowMeasure {
	const before = answers.findLast(({ at }) => at <= from);
	const inside = answers.filter(({ at }) => at > from && at <= to);
	// Both ends belong to the stretch: a flow that was silent all along has a gap of its whole length.
	const times = [before?.at ?? from, ...inside.map(({ at }) => at), to].sort((a, b) => a - b);
	const gaps = times.map((at, index) => at - (times[index - 1] ?? at));
	const sequences = new Set([...(before ? [before] : []), ...inside].map(({ sequence }) => sequence));
	const numbers = [...sequences];
	const sent = numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1;
	return {
		longestGapMs: Math.max(...gaps),
		lost: sent - sequences.size,
		answering: inside.some(({ at }) => at > to - silentAfterMs),
	};
}
