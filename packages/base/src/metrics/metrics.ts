/** A value for each of the metric's labels. */
export type LabelValues<L extends string> = Readonly<Record<L, string>>;
/** Left out for a metric without labels. */
type Labels<L extends string> = [L] extends [never] ? [] : [labels: LabelValues<L>];

/** Counts events. The name ends in `_total`. */
export interface Counter<L extends string = never> {
	increment(...labels: Labels<L>): void;
	/** `amount` is not negative. */
	add(amount: number, ...labels: Labels<L>): void;
}

/** A value that rises and falls. */
export interface Gauge<L extends string = never> {
	set(value: number, ...labels: Labels<L>): void;
	/** Forgets a series, when what it was about is gone. */
	remove(...labels: Labels<L>): void;
}

/** How values are distributed. The name ends in `_seconds` or `_bytes`, the unit of what is observed. */
export interface Histogram<L extends string = never> {
	observe(value: number, ...labels: Labels<L>): void;
}

/** The metrics of one program, in the text format of Prometheus (version 0.0.4). A name that is wrong or taken throws TypeError. */
export interface Metrics {
	counter<const L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
	gauge<const L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
	/** `buckets` are ascending upper bounds, without the infinite one. */
	histogram<const L extends string = never>(
		name: string,
		help: string,
		options?: { readonly labels?: readonly L[]; readonly buckets?: readonly number[] },
	): Histogram<L>;
	/** All metrics, in the order in which they were made. Serve it as `metricsContentType`. */
	render(): string;
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Seconds, from a system call to a slow start of a VM. */
const durationBuckets: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface Distribution {
	/** How many values fell into each bucket, and beyond the last; not cumulative. */
	readonly counts: number[];
	sum: number;
}

export function createMetrics(): Metrics {
	const families = new Map<string, () => Iterable<string>>();

	const register = (name: string, type: string, help: string, samples: () => Iterable<string>): void => {
		if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new TypeError(`${name} is not the name of a metric`);
		if (families.has(name)) throw new TypeError(`metric ${name} exists already`);
		const header = `# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${type}\n`;
		families.set(name, function* () {
			yield header;
			yield* samples();
		});
	};

	return {
		counter(name, help, labels = []) {
			if (!name.endsWith('_total')) throw new TypeError(`the name of counter ${name} has to end in _total`);
			// A rate needs the zero before the first event; with labels the series are not known before.
			const values = new Map<string, number>(labels.length === 0 ? [['', 0]] : []);
			const series = seriesOf(labels);
			register(name, 'counter', help, () => simpleSamples(name, values));
			const add = (amount: number, given: readonly LabelValues<string>[]): void => {
				if (!(amount >= 0)) throw new RangeError(`counter ${name} cannot grow by ${amount}`);
				const key = series(given[0]);
				values.set(key, (values.get(key) ?? 0) + amount);
			};
			return { increment: (...given) => add(1, given), add: (amount, ...given) => add(amount, given) };
		},
		gauge(name, help, labels = []) {
			if (name.endsWith('_total')) throw new TypeError(`${name} is the name of a counter, not of a gauge`);
			const values = new Map<string, number>();
			const series = seriesOf(labels);
			register(name, 'gauge', help, () => simpleSamples(name, values));
			return {
				set: (value, ...given) => void values.set(series(given[0]), value),
				remove: (...given) => void values.delete(series(given[0])),
			};
		},
		histogram(name, help, { labels = [], buckets = durationBuckets } = {}) {
			if (!/_(seconds|bytes)$/.test(name)) throw new TypeError(`the name of histogram ${name} has to end in _seconds or _bytes`);
			const values = new Map<string, Distribution>();
			const series = seriesOf(labels);
			register(name, 'histogram', help, () => histogramSamples(name, buckets, values));
			return {
				observe(value, ...given) {
					const key = series(given[0]);
					let distribution = values.get(key);
					if (!distribution) {
						distribution = { counts: Array<number>(buckets.length + 1).fill(0), sum: 0 };
						values.set(key, distribution);
					}
					const found = buckets.findIndex((bound) => value <= bound);
					const bucket = found === -1 ? buckets.length : found;
					distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1;
					distribution.sum += value;
				},
			};
		},
		render: () => Array.from(families.values(), (family) => [...family()].join('')).join(''),
	};
}

/** The text between the braces, which is also the key of the series. */
function seriesOf(names: readonly string[]): (values: LabelValues<string> | undefined) => string {
	return (values = {}) => names.map((name) => `${name}="${escapeText(values[name] ?? '').replaceAll('"', '\\"')}"`).join(',');
}

function* simpleSamples(name: string, values: ReadonlyMap<string, number>): Generator<string> {
	for (const [labels, value] of values) yield sample(name, labels, value);
}

function* histogramSamples(name: string, buckets: readonly number[], values: ReadonlyMap<string, Distribution>): Generator<string> {
	for (const [labels, { counts, sum }] of values) {
		let count = 0;
		for (const [index, bound] of [...buckets, Number.POSITIVE_INFINITY].entries()) {
			count += counts[index] ?? 0;
			yield sample(`${name}_bucket`, `${labels}${labels && ','}le="${number(bound)}"`, count);
		}
		yield sample(`${name}_sum`, labels, sum);
		yield sample(`${name}_count`, labels, count);
	}
}

function sample(name: string, labels: string, value: number): string {
	return `${name}${labels && `{${labels}}`} ${number(value)}\n`;
}

function number(value: number): string {
	if (Number.isFinite(value)) return String(value);
	return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escapeText(text: string): string {
	return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
