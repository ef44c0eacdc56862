import type { Clock } from '@tapestry/base';

/** Upper bounds in seconds; around the budgets of an attachment (p50 50 ms, p99 150 ms). */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20] as const;

/** Tells how long a step took. */
export type Observe = (step: string, seconds: number) => void;

/** Measures consecutive steps: each call of the returned function ends one. */
export function stopwatch(clock: Clock, observe: Observe): (step: string) => void {
	let started = clock.monotonic();
	return (step) => {
		const now = clock.monotonic();
		observe(step, (now - started) / 1000);
		started = now;
	};
}

interface Histogram {
	readonly counts: number[];
	sum: number;
	count: number;
}

/** Step durations as a Prometheus histogram. */
export class Metrics {
	readonly #histograms = new Map<string, Histogram>();

	readonly observe: Observe = (step, seconds) => {
		const histogram = this.#histograms.get(step) ?? { counts: bounds.map(() => 0), sum: 0, count: 0 };
		this.#histograms.set(step, histogram);
		const slot = bounds.findIndex((bound) => seconds <= bound);
		if (slot >= 0) histogram.counts[slot] = (histogram.counts[slot] ?? 0) + 1;
		histogram.sum += seconds;
		histogram.count++;
	};

	/** Prometheus text exposition format 0.0.4. */
	render(gauges: Readonly<Record<string, number>>): string {
		const name = 'tapestry_attach_step_seconds';
		const lines = [`# HELP ${name} Duration of the steps of CNI calls and of lifts.`, `# TYPE ${name} histogram`];
		for (const [step, { counts, sum, count }] of this.#histograms) {
			let below = 0;
			for (const [index, bound] of bounds.entries()) {
				below += counts[index] ?? 0;
				lines.push(`${name}_bucket{step="${step}",le="${bound}"} ${below}`);
			}
			lines.push(
				`${name}_bucket{step="${step}",le="+Inf"} ${count}`,
				`${name}_sum{step="${step}"} ${sum}`,
				`${name}_count{step="${step}"} ${count}`,
			);
		}
		for (const [gauge, value] of Object.entries(gauges)) lines.push(`# TYPE ${gauge} gauge`, `${gauge} ${value}`);
		return `${lines.join('\n')}\n`;
	}
}
