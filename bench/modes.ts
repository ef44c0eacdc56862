import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CodedError } from '@tapestry/base';
import { type AttachmentModeName, attachmentModes } from '@tapestry/network';
import { type BenchOptions, type BenchResult, currentConditions } from './harness.ts';
import { machineRun, podRun, withLab } from './modes/lab-run.ts';
import { findPlatform, type Platform } from './modes/platform.ts';
import { plotLatency } from './modes/plot.ts';
import { reflected, reflectorRun } from './modes/reflector-run.ts';
import { renderComparison, sizeName } from './modes/report.ts';
import type { RoundOptions } from './modes/rounds.ts';
import { renderAgainstQperf, renderAgainstTalk } from './modes/seeds.ts';
import { type Comparison, payloads } from './modes/series.ts';
import { vhostRun } from './modes/vhost-run.ts';

interface ModesResult extends BenchResult {
	readonly platform: Platform;
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
	/** Bytes of payload. */
	readonly sizes: readonly number[];
	readonly againstSeeds: boolean;
	readonly out: string;
}

/** Those of a run that does not choose; `vhost-user` needs another switch. */
const usualTables = ['reflector', 'machines', 'pods'];
const tables = [...usualTables, 'vhost-user'];
/** The lab's nodes have no DPDK. */
const machineModes = attachmentModes.filter((mode) => mode !== 'vhost-user');

/**
 * The ways to attach a machine, measured side by side: the host's part of the path with a reflector for a guest, QEMU guests, and pods for comparison.
 * All subjects of a table are measured in one run, interleaved in a new order each round.
 */
export async function run({ json, args }: BenchOptions): Promise<ModesResult> {
	const choice = readChoice(args);
	const conditions = currentConditions();
	const platform = await findPlatform();
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
	const fewerOfLarge = (size: number): number => (size >= 16_384 ? 20 : 60);
	if (choice.tables.includes('vhost-user')) comparisons.push(await vhostRun(rounds(choice, 'vhost-user', say, fewerOfLarge)));
	if (choice.tables.some((table) => table === 'pods' || table === 'machines')) {
		await withLab(async (layout) => {
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
	const plots = drawn(comparisons, choice.out);
	return { name: 'modes', conditions, platform, results: [], comparisons, againstSeeds: choice.againstSeeds, plots };
}

export function render({ comparisons, plots, conditions, platform, againstSeeds }: ModesResult): string {
	const { cpu, cores, kernel, load, node } = conditions;
	const parts = [
		`${cores} x ${cpu}, kernel ${kernel}, Node.js ${node}, load ${load} at the start.`,
		`Guests by ${platform.accelerator}, vhost-net ${platform.vhostNet ? 'there' : 'not there'}, datapath ${platform.datapath} (userspace), Open vSwitch ${platform.openVswitch}, OVN ${platform.ovn}, QEMU ${platform.qemu}.`,
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
			tables: { type: 'string', default: usualTables.join(',') },
			modes: { type: 'string', default: machineModes.join(',') },
			sizes: { type: 'string', default: payloads.map(sizeName).join(',') },
			against: { type: 'string' },
			out: { type: 'string', default: join(import.meta.dirname, '..', '.cache', 'bench') },
		},
	});
	return {
		rounds: wholeNumber(values.rounds),
		tables: among(tables, values.tables),
		modes: among(machineModes, values.modes),
		sizes: among(payloads.map(sizeName), values.sizes).map((name) => payloads.find((size) => sizeName(size) === name) ?? 0),
		againstSeeds: values.against !== undefined && among(['seeds'], values.against).length > 0,
		out: values.out,
	};
}

function among<T extends string>(known: readonly T[], text: string): T[] {
	return text.split(',').map((name) => {
		const found = known.find((one) => one === name);
		if (found === undefined) throw new CodedError('BENCH_USAGE', { what: `there is no "${name}"`, fix: `use ${known.join(', ')}` });
		return found;
	});
}

function wholeNumber(text: string): number {
	if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
	throw new CodedError('BENCH_USAGE', {
		what: `--rounds ${text} is no number of rounds`,
		fix: 'use 1 to 9999; 10 and more give an interval of 95 %',
	});
}

function rounds(choice: Choice, title: string, say: (text: string) => void, count: (size: number) => number): RoundOptions {
	return {
		rounds: choice.rounds,
		sizes: choice.sizes,
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
