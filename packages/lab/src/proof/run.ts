import { CodedError } from '@tapestry/base';
import { captureInWorkload } from '../access/exec.ts';
import type { LabLayout } from '../layout.ts';
import type { ProcessDeps } from '../process.ts';
import { type Cell, chooseProbes, type Endpoint, type Probe } from './cells.ts';
import { formatTable } from './table.ts';

export interface ProofCell extends Cell {
	/** Best round trip in milliseconds; `undefined` when there was no answer, or no such pair to ask. */
	readonly milliseconds: number | undefined;
}

/** Pings for every cell of the matrix, one after another so that they do not disturb each other's figures. */
export async function prove(
	deps: ProcessDeps,
	layout: LabLayout,
	endpoints: readonly Endpoint[],
	signal: AbortSignal,
): Promise<readonly ProofCell[]> {
	const cells: ProofCell[] = [];
	for (const cell of chooseProbes(endpoints)) {
		cells.push({ ...cell, milliseconds: cell.probe ? await ping(deps, layout, cell.probe, signal) : undefined });
	}
	return cells;
}

/** Busybox' ping (in guests) and iputils' (in pods) both end with a line `... = min/avg/max...`. */
async function ping(deps: ProcessDeps, layout: LabLayout, probe: Probe, signal: AbortSignal): Promise<number | undefined> {
	const pace = probe.from.kind === 'pod' ? ['-i', '0.2'] : [];
	const command = ['ping', ...(probe.family === 'IPv6' ? ['-6'] : []), '-c', '3', ...pace, '-W', '2', probe.address];
	const result = await captureInWorkload(deps, layout, probe.from, command, signal);
	const best = /= ([\d.]+)\//.exec(result.stdout)?.[1];
	return result.status === 0 && best ? Number(best) : undefined;
}

/** The matrix: `-` where no such pair exists, `NO ANSWER` where one does and is silent. */
export function formatProof(cells: readonly ProofCell[]): string {
	const columns = [...new Set(cells.map(({ column }) => column))];
	const rows = [...new Set(cells.map(({ row }) => row))];
	const text = (cell: ProofCell | undefined): string => {
		if (!cell?.probe) return '-';
		return cell.milliseconds === undefined ? 'NO ANSWER' : `${cell.milliseconds.toFixed(2)} ms`;
	};
	return formatTable([
		['PING', ...columns],
		...rows.map((row) => [row, ...columns.map((column) => text(cells.find((cell) => cell.row === row && cell.column === column)))]),
	]);
}

/** @throws PROOF_FAILED naming each pair that is silent */
export function assertProof(cells: readonly ProofCell[]): void {
	const silent = cells.filter(({ probe, milliseconds }) => probe && milliseconds === undefined);
	if (silent.length === 0) return;
	throw new CodedError('PROOF_FAILED', {
		what: `no answer: ${silent.map(({ probe }) => `${probe?.from.kind}/${probe?.from.name} -> ${probe?.address}`).join(', ')}`,
		fix: 'look into the logs: npm run lab -- logs',
	});
}
