import { type Comparison, payloads, seriesOf, type Test } from './series.ts';
import { median, pairedRatio } from './statistics.ts';

/** The mode that has to be no worse than the others. */
const own = 'lift';

/** A comparison in Markdown: latency by payload, its spread, and the ratio to the baseline with its interval. */
export function renderComparison(comparison: Comparison): string {
	const { title, note } = comparison;
	const parts = [`## ${title}`, '', note, ''];
	for (const kind of ['tcp', 'udp'] as const) {
		const sizes = payloads.filter((size) => comparison.series.some((series) => series.kind === kind && series.size === size));
		if (sizes.length === 0) continue;
		parts.push(`### ${kind.toUpperCase()} latency, one way, us`, '');
		// UDP's last column is in 002's table too, where it holds nothing.
		const shown = kind === 'udp' && sizes.includes(32_768) ? [...sizes, 65_536] : sizes;
		const tests = shown.map((size): Test => ({ kind, size }));
		parts.push(...table(['median', ...shown.map(sizeName)], comparison, tests, medianCell), '');
		parts.push(...table(['p99 of all exchanges', ...shown.map(sizeName)], comparison, tests, p99Cell), '');
		parts.push(...table([`ratio to ${comparison.baseline}`, ...shown.map(sizeName)], comparison, tests, ratioCell), '');
		if (comparison.subjects.some(({ name }) => name === own)) {
			parts.push(...table([`ratio of ${own} to`, ...shown.map(sizeName)], comparison, tests, ownRatioCell), '');
		}
	}
	if (comparison.series.some(({ kind }) => kind === 'throughput')) parts.push(...throughputTable(comparison), '');
	if (comparison.subjects.some(({ attachMs }) => attachMs !== undefined)) {
		parts.push('### Attachment', '', '|  | ms |', '|---|---|');
		for (const { name, attachMs } of comparison.subjects) parts.push(row([name, attachMs === undefined ? 'n/a' : attachMs.toFixed(0)]));
		parts.push('');
	}
	for (const { name, note: remark } of comparison.subjects) if (remark) parts.push(`- ${name}: ${remark}`);
	for (const { subject, kind, size, lost, failure } of comparison.series) {
		const where = `${subject}, ${kind}${size === undefined ? '' : ` ${sizeName(size)}`}`;
		if (failure !== undefined) parts.push(`- ${where}: ${failure}`);
		else if (lost > 0) parts.push(`- ${where}: ${lost} lost`);
	}
	return `${parts.join('\n').trimEnd()}\n`;
}

function throughputTable(comparison: Comparison): string[] {
	const test: Test = { kind: 'throughput' };
	const rows = comparison.subjects.map(({ name }) => {
		const rounds = seriesOf(comparison, name, test)?.rounds ?? [];
		return row([name, medianCell(comparison, name, test), spread(rounds), ratioCell(comparison, name, test)]);
	});
	return ['### TCP throughput', '', '|  | MB/s | min..max | ratio |', '|---|---|---|---|', ...rows];
}

type Cell = (comparison: Comparison, subject: string, test: Test) => string;

function table(header: readonly string[], comparison: Comparison, tests: readonly Test[], cell: Cell): string[] {
	return [
		row(header),
		`|${'---|'.repeat(header.length)}`,
		...comparison.subjects.map(({ name }) => row([name, ...tests.map((test) => cell(comparison, name, test))])),
	];
}

function medianCell(comparison: Comparison, subject: string, test: Test): string {
	return figure(median((seriesOf(comparison, subject, test)?.rounds ?? []).filter(Number.isFinite)));
}

function p99Cell(comparison: Comparison, subject: string, test: Test): string {
	return figure(seriesOf(comparison, subject, test)?.p99 ?? Number.NaN);
}

function ratioCell(comparison: Comparison, subject: string, test: Test): string {
	return ratioOf(comparison, { subject, to: comparison.baseline }, test);
}

function ownRatioCell(comparison: Comparison, subject: string, test: Test): string {
	return ratioOf(comparison, { subject: own, to: subject }, test);
}

function ratioOf(comparison: Comparison, { subject, to }: { readonly subject: string; readonly to: string }, test: Test): string {
	if (subject === to) return '1';
	const baseline = seriesOf(comparison, to, test)?.rounds ?? [];
	const ratio = pairedRatio(seriesOf(comparison, subject, test)?.rounds ?? [], baseline);
	if (!ratio) return 'n/a';
	const interval = `${ratio.low.toFixed(2)}..${ratio.high.toFixed(2)}`;
	return `${ratio.value.toFixed(2)} (${interval}${ratio.coverage < 0.95 ? `, ${Math.round(ratio.coverage * 100)} %` : ''})`;
}

function spread(rounds: readonly number[]): string {
	const known = rounds.filter(Number.isFinite);
	return known.length === 0 ? 'n/a' : `${figure(Math.min(...known))}..${figure(Math.max(...known))}`;
}

/** Three digits that count. */
function figure(value: number): string {
	if (!Number.isFinite(value)) return 'n/a';
	return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

export function sizeName(size: number): string {
	return size < 1024 ? String(size) : `${size / 1024}k`;
}

export function row(cells: readonly string[]): string {
	return `| ${cells.join(' | ')} |`;
}
