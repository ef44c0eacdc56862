import { sizeName } from './report.ts';
import { type Comparison, seriesOf } from './series.ts';
import { median } from './statistics.ts';

const width = 900;
const height = 420;
const margin = { left: 70, right: 170, top: 50, bottom: 50 };
/** Told apart also by those who see few colours (Okabe and Ito). */
const colours = ['#000000', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#999999', '#7f3c8d', '#a5aa99'];

/** Median latency by payload as a drawing, both axes logarithmic: one line for each subject. */
export function plotLatency(comparison: Comparison, kind: 'tcp' | 'udp'): string {
	const lines = comparison.subjects.map(({ name }) => ({ name, points: pointsOf(comparison, name, kind) }));
	const all = lines.flatMap(({ points }) => points);
	const x = scale(
		all.map(([size]) => size),
		[margin.left, width - margin.right],
	);
	const y = scale(
		all.map(([, value]) => value),
		[height - margin.bottom, margin.top],
	);
	const sizes = [...new Set(all.map(([size]) => size))].sort((a, b) => a - b);
	const body = [
		`<text x="${margin.left}" y="24" font-size="15">${escapeXml(`${comparison.title}: ${kind.toUpperCase()} latency, one way`)}</text>`,
		...sizes.map((size) => `<text x="${x(size)}" y="${height - 25}" text-anchor="middle">${sizeName(size)}</text>`),
		...ticks(all.map(([, value]) => value)).flatMap((value) => [
			`<line x1="${margin.left}" y1="${y(value)}" x2="${width - margin.right}" y2="${y(value)}" stroke="#ddd"/>`,
			`<text x="${margin.left - 8}" y="${y(value) + 4}" text-anchor="end">${value} us</text>`,
		]),
		...lines.flatMap(({ name, points }, index) => {
			const colour = colours[index % colours.length];
			const path = points.map(([size, value]) => `${x(size)},${y(value)}`).join(' ');
			const legend = margin.top + 18 * index;
			return [
				`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
				`<line x1="${width - 155}" y1="${legend}" x2="${width - 130}" y2="${legend}" stroke="${colour}" stroke-width="2"/>`,
				`<text x="${width - 122}" y="${legend + 4}">${escapeXml(name)}</text>`,
			];
		}),
	];
	const frame = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"`;
	return `<svg ${frame}>\n<rect width="${width}" height="${height}" fill="#fff"/>\n${body.join('\n')}\n</svg>\n`;
}

function pointsOf(comparison: Comparison, subject: string, kind: 'tcp' | 'udp'): readonly (readonly [number, number])[] {
	const sizes = new Set(comparison.series.flatMap((series) => (series.kind === kind && series.size ? [series.size] : [])));
	return [...sizes]
		.sort((a, b) => a - b)
		.map((size) => [size, median((seriesOf(comparison, subject, { kind, size })?.rounds ?? []).filter(Number.isFinite))] as const)
		.filter(([, value]) => Number.isFinite(value));
}

/** A logarithmic scale over the values, which are all above zero. */
function scale(values: readonly number[], [from, to]: readonly [number, number]): (value: number) => number {
	const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
	return (value) => Math.round(from + ((Math.log(value) - low) / (high - low || 1)) * (to - from));
}

/** 1, 2 and 5 of each power of ten between the least and the greatest value. */
function ticks(values: readonly number[]): readonly number[] {
	const [low, high] = [Math.min(...values), Math.max(...values)];
	return [0, 1, 2, 3, 4, 5, 6]
		.flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power))
		.filter((tick) => low <= tick && tick <= high);
}

function escapeXml(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
