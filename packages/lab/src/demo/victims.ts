import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@tapestry/base';
import { startNorthd } from '../daemons/central.ts';
import { startOvnController, startVswitchd } from '../daemons/open-vswitch.ts';
import { type LabLayout, labMarker } from '../layout.ts';
import { enterNode } from '../nodes/mounts.ts';
import type { LabNode } from '../nodes/node.ts';
import type { ProcessDeps } from '../process.ts';
import { programPid } from '../programs.ts';
import { startController } from '../up/control-plane.ts';
import { startAgent } from '../up/node-programs.ts';

/** A program that the demonstration kills and starts again. */
export interface Victim {
	readonly name: string;
	/** How long it stays dead. */
	readonly deadMs: number;
	/** @throws DEMO_VICTIM when it does not run */
	pid(): number;
	/** Resolves when it serves again. */
	start(): Promise<unknown>;
}

/** Long enough that what depends on the program would be missed. */
const longDeadMs = 2000;
/** About what a supervisor takes: this one is the datapath, so its time is all outage. */
const shortDeadMs = 500;

/** From what only changes the network to what carries it. */
export function victims(deps: ProcessDeps, layout: LabLayout, node: LabNode): readonly Victim[] {
	const marked: ProcessDeps = { env: { ...deps.env, [labMarker]: layout.dir } };
	const { ovsDir } = layout.node(node.name);
	const openVswitch = { dir: ovsDir, enter: enterNode(layout, node.name), dpdk: node.dpdk };
	const program = (name: string) => () => programPid(layout, name) ?? notRunning(name);
	const daemon = (name: string, dir: string, file: string) => () => daemonPid(layout, name, join(dir, file));
	const agent = `${node.name}-agent`;
	return [
		{
			name: 'controller',
			deadMs: longDeadMs,
			pid: program('controller'),
			start: () => startController(marked, layout, 'controller'),
		},
		{ name: `agent of ${node.name}`, deadMs: longDeadMs, pid: program(agent), start: () => startAgent(marked, layout, node) },
		{
			name: 'ovn-northd',
			deadMs: longDeadMs,
			pid: daemon('ovn-northd', layout.central, 'northd.pid'),
			start: () => startNorthd(marked, { dir: layout.central }),
		},
		{
			name: `ovn-controller of ${node.name}`,
			deadMs: longDeadMs,
			pid: daemon('ovn-controller', ovsDir, 'ovn-controller.pid'),
			start: () => startOvnController(marked, openVswitch),
		},
		{
			name: `ovs-vswitchd of ${node.name}`,
			deadMs: shortDeadMs,
			pid: daemon('ovs-vswitchd', ovsDir, 'ovs-vswitchd.pid'),
			start: () => startVswitchd(marked, openVswitch),
		},
	];
}

/** A killed daemon leaves its pid file: the marker tells whether the pid is still its own. */
function daemonPid(layout: LabLayout, name: string, file: string): number {
	try {
		const pid = Number(readFileSync(file, 'utf8'));
		if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${labMarker}=${layout.dir}`)) return pid;
	} catch {
		// Neither file nor process.
	}
	return notRunning(name);
}

function notRunning(name: string): never {
	throw new CodedError('DEMO_VICTIM', { what: `${name} does not run`, fix: 'take the lab down and bring it up again' });
}
