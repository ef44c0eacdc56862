import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AttachmentModeName, attachmentModes } from '@tapestry/network';
import { type BenchOptions, type BenchResult, currentConditions } from './harness.ts';
import { machineRun, podRun, withLab } from './modes/lab-run.ts';
import { plotLatency } from './modes/plot.ts';
import { reflected, reflectorRun } from './modes/reflector-run.ts';
import { renderComparison } from './modes/report.ts';
import type { RoundOptions } from './modes/rounds.ts';
import { renderAgainstQperf, renderAgainstTalk } from './modes/seeds.ts';
import { type Comparison, payloads } from './modes/series.ts';

interface ModesResult extends BenchResult {
	readonly comparisons: readonly Comparison[];
	/** Whether published figures stand beside ours. */
	readonly againstSeeds: boolean;
	/** Where the drawings are. */
	readonly plots: readonly string[];
}

interface Choice {
	readonly rounds: number;
	readonly tables: readonly string[];
	readonly modes: readonly AttachmentModeName[];
	readonly againstSeeds: boolean;
	readonly out: string;
}

const tables = ['reflector', 'machines', 'pods'];

/**
 * The ways to attach a machine, measured side by side: the host's part of the path with a reflector for a guest, QEMU guests, and pods for comparison.
 * All subjects of a table are measured in one run, interleaved in a new order each round.
 */
export async function run({ json, args }: BenchOptions): Promise<ModesResult> {
	const choice = readChoice(args);
	const conditions = currentConditions();
	const comparisons: Comparison[] = [];
	const say = (text: string): void => void (json || process.stderr.write(text));
	if (choice.tables.includes('reflector')) {
		comparisons.push(
			await reflectorRun(
				choice.modes.filter((mode) => reflected.includes(mode)),
				rounds(choice, 'reflector', say, () => 100),
			),
		);
	}
	if (choice.tables.some((table) => table !== 'reflector')) {
		await withLab(async (layout) => {
			const fewerOfLarge = (size: number): number => (size >= 16_384 ? 20 : 60);
			if (choice.tables.includes('pods'))
				comparisons.push(
					await podRun(
						layout,
						rounds(choice, 'pods', say, () => 100),
					),
				);
			if (choice.tables.includes('machines')) {
				comparisons.push(await machineRun(layout, choice.modes, rounds(choice, 'machines', say, fewerOfLarge)));
			}
		});
	}
	return { name: 'modes', conditions, results: [], comparisons, againstSeeds: choice.againstSeeds, plots: drawn(comparisons, choice.out) };
}

export function render({ comparisons, plots, conditions, againstSeeds }: ModesResult): string {
	const { cpu, cores, kernel, load, node } = conditions;
	const parts = [
		`${cores} x ${cpu}, kernel ${kernel}, node ${node}, load ${load} at the start; Open vSwitch's userspace datapath.`,
		...comparisons.map(renderComparison),
	];
	for (const comparison of againstSeeds ? comparisons : []) {
		if (comparison.name === 'machines') parts.push(renderAgainstTalk(comparison));
		if (comparison.name === 'pods') parts.push(renderAgainstQperf(comparison));
	}
	return `${[...parts, ...plots.map((file) => `plot: ${file}`)].join('\n\n')}\n`;
}

function readChoice(args: readonly string[]): Choice {
	const { values } = parseArgs({
		args: [...args],
		options: {
			rounds: { type: 'string', default: '12' },
			tables: { type: 'string', default: tables.join(',') },
			modes: { type: 'string', default: attachmentModes.join(',') },
			against: { type: 'string' },
			out: { type: 'string', default: join(import.meta.dirname, '..', '.cache', 'bench') },
		},
	});
	const modes = values.modes.split(',').filter((mode): mode is AttachmentModeName => (attachmentModes as readonly string[]).includes(mode));
	return {
		rounds: Number(values.rounds),
		tables: values.tables.split(','),
		modes,
		againstSeeds: values.against === 'seeds',
		out: values.out,
	};
}

function rounds(choice: Choice, title: string, say: (text: string) => void, count: (size: number) => number): RoundOptions {
	return {
		rounds: choice.rounds,
		sizes: payloads,
		count,
		throughputMs: 300,
		seed: 1,
		progress: (round) => say(`${title}: round ${round} of ${choice.rounds}\n`),
	};
}

function drawn(comparisons: readonly Comparison[], directory: string): readonly string[] {
	mkdirSync(directory, { recursive: true });
	return comparisons.flatMap((comparison) =>
		(['tcp', 'udp'] as const)
			.filter((kind) => comparison.series.some((series) => series.kind === kind))
			.map((kind) => {
				const file = join(directory, `modes-${comparison.name}-${kind}.svg`);
				writeFileSync(file, plotLatency(comparison, kind));
				return file;
			}),
	);
}
