import type { RunningWorkload } from '../access/workloads.ts';
import { chooseProbes } from '../proof/cells.ts';

/** One ping of the table. */
export interface DemoFlow {
	/** `web -> api` */
	readonly name: string;
	/** `pod -> pod, same node IPv4` */
	readonly description: string;
	readonly from: RunningWorkload;
	readonly address: string;
}

/** Row and column of the matrix of `npm start`. */
const chosen = [
	['pod -> pod', 'same node IPv4'],
	['pod -> pod', 'other node IPv4'],
	['pod -> vm', 'other node IPv4'],
	['vm -> pod', 'other node IPv4'],
] as const;

/** A flow for each chosen cell of the matrix that the workloads have a pair for. */
export function chooseFlows(workloads: readonly RunningWorkload[]): readonly DemoFlow[] {
	const cells = chooseProbes(workloads);
	return chosen.flatMap(([row, column]) => {
		const probe = cells.find((cell) => cell.row === row && cell.column === column)?.probe;
		const from = workloads.find((workload) => workload === probe?.from);
		if (!probe || !from) return [];
		return [{ name: `${from.name} -> ${probe.to.name}`, description: `${row}, ${column}`, from, address: probe.address }];
	});
}

/** Whether all that the demonstration shows is there. */
export const isComplete = (flows: readonly DemoFlow[]): boolean => flows.length === chosen.length;
