import { describe, expect, it } from 'vitest';
import { plotLatency } from './plot.ts';
import { renderComparison } from './report.ts';
import { renderAgainstTalk } from './seeds.ts';
import type { Comparison, Series } from './series.ts';

const series = (subject: string, kind: 'tcp' | 'udp', size: number, rounds: readonly number[]): Series => ({
	subject,
	kind,
	size,
	rounds,
	p99: Math.max(...rounds),
	lost: 0,
});
const comparison: Comparison = {
	name: 'machines',
	title: 'Machines',
	note: 'A note.',
	baseline: 'tap',
	subjects: [{ name: 'tap', attachMs: 12 }, { name: 'lift & more', attachMs: 34, note: 'a remark' }, { name: 'bridge' }],
	series: [
		series('tap', 'tcp', 64, [100, 200, 100, 100, 100, 100]),
		series('lift & more', 'tcp', 64, [101, 202, 101, 101, 101, 101]),
		series('bridge', 'tcp', 64, [150, 300, 150, 150, 150, 150]),
		series('tap', 'udp', 64, [50]),
		{ ...series('tap', 'tcp', 65_536, [400]), lost: 2 },
		{ subject: 'bridge', kind: 'throughput', rounds: [Number.NaN, 90, 110], p99: Number.NaN, lost: 0, failure: 'it broke' },
	],
};

describe('renderComparison', () => {
	const text = renderComparison(comparison);

	it('shows medians, and ratios of paired rounds with their interval', () => {
		expect(text).toContain('| tap | 100 | 400 |');
		expect(text).toContain('| lift & more | 1.01 (1.01..1.01) | n/a |');
		expect(text).toContain('| bridge | 1.50 (1.50..1.50) | n/a |');
	});

	it('leaves out what was not measured, and says what failed or was lost', () => {
		expect(text).toContain('| bridge | 100 | 90.0..110 | n/a |');
		expect(text).toContain('| tap | 12 |');
		expect(text).toContain('- lift & more: a remark');
		expect(text).toContain('- bridge, throughput: it broke');
		expect(text).toContain('- tap, tcp 64k: 2 lost');
		expect(text).not.toContain('NaN');
	});
});

describe('renderAgainstTalk', () => {
	it('lays ratios beside ratios', () => {
		const text = renderAgainstTalk(comparison);
		expect(text).toContain('| bridge, published | 1.15 | 1.11 |');
		expect(text).toContain('| bridge, here | 1.50 | n/a |');
	});
});

describe('plotLatency', () => {
	it('draws a line for each subject, with names that are no markup', () => {
		const svg = plotLatency(comparison, 'tcp');
		expect(svg.match(/<polyline/g)).toHaveLength(3);
		expect(svg).toContain('lift &amp; more');
		expect(svg).not.toMatch(/NaN|Infinity/);
	});
});
