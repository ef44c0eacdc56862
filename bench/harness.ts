import { cpus, loadavg, release } from 'node:os';

export interface BenchOptions {
	/** True when standard output must stay one JSON document. */
	readonly json: boolean;
	/** The benchmark's own arguments. */
	readonly args: readonly string[];
}

/** What a bench/<name>.ts file exports. */
export interface BenchModule {
	readonly run: (options: BenchOptions) => Promise<BenchResult>;
	/** For people, instead of the usual table. */
	readonly render?: (result: BenchResult) => string;
}

export interface BenchResult {
	readonly name: string;
	readonly conditions: Conditions;
	readonly results: readonly Measurement[];
}

/** Without these a figure means nothing on another day. */
export interface Conditions {
	readonly cpu: string;
	readonly cores: number;
	readonly node: string;
	readonly kernel: string;
	/** Load average of the last minute when the benchmark began. */
	readonly load: number;
}

export interface Measurement {
	readonly name: string;
	/** Number of samples. */
	readonly n: number;
	readonly p50: number;
	readonly p99: number;
	readonly unit: 'ms';
	readonly perSecond?: number;
	/** What a figure depends on, such as sizes. */
	readonly note?: string;
}

export function currentConditions(): Conditions {
	const processors = cpus();
	return {
		cpu: processors[0]?.model.trim() ?? 'unknown',
		cores: processors.length,
		node: process.version,
		kernel: release(),
		load: round(loadavg()[0] ?? 0),
	};
}

/** Summarises samples, in milliseconds. */
export function measurement(name: string, samples: readonly number[], more: Pick<Measurement, 'perSecond' | 'note'> = {}): Measurement {
	const perSecond = more.perSecond === undefined ? {} : { perSecond: Math.round(more.perSecond) };
	return { name, n: samples.length, p50: percentile(samples, 50), p99: percentile(samples, 99), unit: 'ms', ...more, ...perSecond };
}

/** The nearest-rank percentile: always one of the samples. */
export function percentile(samples: readonly number[], percent: number): number {
	const sorted = [...samples].sort((a, b) => a - b);
	return round(sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN);
}

/** Milliseconds that `action` takes. */
export async function timed(action: () => unknown): Promise<number> {
	const start = performance.now();
	await action();
	return performance.now() - start;
}

/** One sample for each of `n` runs, one after the other. */
export async function sampled(n: number, action: (index: number) => unknown): Promise<number[]> {
	const samples: number[] = [];
	for (let index = 0; index < n; index++) samples.push(await timed(() => action(index)));
	return samples;
}

export function renderTable({ name, conditions, results }: BenchResult): string {
	const { cpu, cores, node, kernel, load } = conditions;
	const header = [name, 'n', 'p50 ms', 'p99 ms', '/s', ''];
	const rows = results.map((result) => [
		result.name,
		String(result.n),
		result.p50.toFixed(3),
		result.p99.toFixed(3),
		result.perSecond === undefined ? '' : String(result.perSecond),
		result.note ?? '',
	]);
	const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
	const lines = [header, ...rows].map((row) =>
		row
			.map((cell, column) => (column >= 1 && column <= 4 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
			.join('  ')
			.trimEnd(),
	);
	return [`${cores} x ${cpu}, node ${node}, kernel ${kernel}, load ${load}`, ...lines, ''].join('\n');
}

function round(value: number): number {
	return Math.round(value * 1000) / 1000;
}
