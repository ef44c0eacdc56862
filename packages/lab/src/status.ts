import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { labProcesses } from './cleanup.ts';
import type { LabLayout } from './layout.ts';
import { labNodes, nodeLogs } from './nodes/node.ts';
import { programPid } from './programs.ts';
import { labPrograms, readSpec } from './up/up.ts';

export interface LabStatus {
	readonly id: string;
	/** `down`: nothing of it is here. `partial`: an `up` was interrupted. `degraded`: a program does not run. */
	readonly state: 'up' | 'degraded' | 'partial' | 'down';
	readonly nodes: readonly string[];
	readonly kubeconfig: string;
	/** Tapestry's own programs; `pid` is absent when it does not run. */
	readonly programs: readonly { readonly name: string; readonly pid?: number; readonly log: string }[];
	/** All processes of the lab, daemons and guests included. */
	readonly processes: number;
}

/** What of the lab runs, read from the machine itself. */
export function labStatus(layout: LabLayout): LabStatus {
	const spec = readSpec(layout);
	const programs = spec ? labPrograms(spec).map((name) => programStatus(layout, name)) : [];
	const processes = labProcesses(layout).length;
	return {
		id: layout.id,
		state: spec
			? programs.every(({ pid }) => pid !== undefined)
				? 'up'
				: 'degraded'
			: processes > 0 || existsSync(layout.dir)
				? 'partial'
				: 'down',
		nodes: labNodes(spec?.nodes ?? 0).map(({ name }) => name),
		kubeconfig: layout.kubeconfig,
		programs,
		processes,
	};
}

function programStatus(layout: LabLayout, name: string) {
	const pid = programPid(layout, name);
	return { name, ...(pid === undefined ? {} : { pid }), log: join(layout.logs, `${name}.log`) };
}

/** The log files of the lab that exist now. */
export function logFiles(layout: LabLayout): readonly string[] {
	const own = existsSync(layout.logs) ? readdirSync(layout.logs).map((file) => join(layout.logs, file)) : [];
	const central = ['nb', 'sb', 'northd'].map((name) => join(layout.central, `${name}.log`));
	const nodes = labNodes(readSpec(layout)?.nodes ?? 0).flatMap(({ name }) => Object.values(nodeLogs(layout, name)));
	return [...new Set([...own, ...central, ...nodes])].filter((file) => existsSync(file)).sort();
}
