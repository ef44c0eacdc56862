import { seeded } from '../../packages/agent/src/testing/seeded.ts';
import { percentile } from '../harness.ts';
import type { Prober, Question } from './prober.ts';
import { largestDatagram, type Series, type Test } from './series.ts';
import { median, shuffled } from './statistics.ts';

/** Somebody who answers: echoes on `tcp` and `udp`, and a sink. Absent ports are not tested. */
export interface Target {
	readonly subject: string;
	readonly prober: Prober;
	readonly address: string;
	readonly tcp?: number;
	readonly udp?: { readonly port: number; readonly sourcePort?: number };
	readonly sink?: number;
}

export interface RoundOptions {
	readonly rounds: number;
	readonly sizes: readonly number[];
	/** Exchanges of a test in a round, by payload. */
	readonly count: (size: number) => number;
	readonly throughputMs: number;
	readonly seed: number;
	readonly progress?: (round: number) => void;
}

interface Collected extends Test {
	readonly subject: string;
	readonly rounds: number[];
	readonly all: number[];
	lost: number;
	failure: string | undefined;
}

/** All tests of all targets, round by round: in each round every target has its turn once, in an order of its own, so that a drift of the machine meets all. */
export async function measureRounds(targets: readonly Target[], options: RoundOptions): Promise<readonly Series[]> {
	const random = seeded(options.seed);
	const collected = new Map<string, Collected>();
	for (let round = 0; round < options.rounds; round++) {
		for (const test of shuffled(testsOf(options.sizes), random)) {
			for (const target of shuffled(targets, random)) {
				const question = questionOf(target, test, options);
				if (question) await measure(target, test, question, collected);
			}
		}
		options.progress?.(round + 1);
	}
	return [...collected.values()].map(({ all, failure, ...series }) => ({
		...series,
		p99: all.length > 0 ? percentile(all, 99) : Number.NaN,
		...(failure === undefined ? {} : { failure }),
	}));
}

function testsOf(sizes: readonly number[]): Test[] {
	const latency = sizes.flatMap((size): Test[] => [
		{ kind: 'tcp', size },
		...(size <= largestDatagram ? [{ kind: 'udp', size } as const] : []),
	]);
	return [...latency, { kind: 'throughput' }];
}

function questionOf(target: Target, { kind, size = 0 }: Test, options: RoundOptions): Question | undefined {
	const { address, tcp, udp, sink } = target;
	if (kind === 'throughput') return sink === undefined ? undefined : { kind, address, port: sink, milliseconds: options.throughputMs };
	const count = options.count(size);
	if (kind === 'tcp') return tcp === undefined ? undefined : { kind, address, port: tcp, size, count };
	return udp && { kind, address, ...udp, size, count };
}

async function measure(target: Target, test: Test, question: Question, collected: Map<string, Collected>): Promise<void> {
	const key = `${target.subject} ${test.kind} ${test.size}`;
	const one = collected.get(key) ?? { ...test, subject: target.subject, rounds: [], all: [], lost: 0, failure: undefined };
	collected.set(key, one);
	const answer = await target.prober.ask(question);
	one.failure ??= answer.failure;
	one.lost += answer.lost;
	if (test.kind === 'throughput') {
		one.rounds.push(answer.megabytesPerSecond ?? Number.NaN);
		return;
	}
	// As qperf tells it: there and back by two.
	const oneWay = answer.microseconds.map((there) => there / 2);
	one.rounds.push(median(oneWay));
	one.all.push(...oneWay);
}
