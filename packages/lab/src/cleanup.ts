import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { CodedError } from '@tapestry/base';
import { type LabLayout, labMarker, labsRoot } from './layout.ts';
import { execute, type ProcessDeps } from './process.ts';

/** The processes of a lab: all that inherited its marker, daemons and guests included. Ours is never among them. */
export function labProcesses(layout: LabLayout): readonly number[] {
	const marker = `${labMarker}=${layout.dir}`;
	return readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.map(Number)
		.filter((pid) => pid !== process.pid && environmentOf(pid).includes(marker));
}

function environmentOf(pid: number): readonly string[] {
	try {
		return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
	} catch {
		// It ended meanwhile.
		return [];
	}
}

/**
 * Ends all processes of the lab, then removes its namespaces and files. Works on what a killed `up` left, and when there is nothing.
 * The nodes' mount namespaces and the links in them go with their last process and namespace.
 * @throws LAB_DOWN when a process does not end
 */
export async function removeLab(deps: ProcessDeps, layout: LabLayout): Promise<void> {
	await endProcesses(layout);
	const { stdout } = await execute(deps, { argv: ['ip', '-json', 'netns', 'list'] });
	const names = (JSON.parse(stdout.trim() || '[]') as { name: string }[]).map(({ name }) => name);
	for (const name of names.filter((name) => name.startsWith(`${layout.prefix}-`))) {
		const { status, stderr } = await execute(deps, { argv: ['ip', 'netns', 'delete', name] });
		if (status !== 0) throw new CodedError('LAB_DOWN', { what: `namespace ${name} could not be deleted`, why: stderr.trim() });
	}
	rmSync(layout.dir, { recursive: true, force: true });
	if (entries(labsRoot).length === 0) rmSync(labsRoot, { recursive: true, force: true });
}

/** Kill rounds: a process may have started another just before it ended. */
async function endProcesses(layout: LabLayout): Promise<void> {
	const rounds = 50;
	for (let round = 0; round < rounds; round++) {
		const pids = labProcesses(layout);
		if (pids.length === 0) return;
		for (const pid of pids) signalQuietly(pid);
		await Promise.all(pids.map((pid) => ended(pid)));
	}
	const left = labProcesses(layout).map((pid) => `${pid} (${nameOf(pid)})`);
	if (left.length === 0) return;
	throw new CodedError('LAB_DOWN', {
		what: `processes of lab ${layout.id} do not end: ${left.join(', ')}`,
		fix: 'end them by hand, then run down again',
	});
}

function signalQuietly(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It ended meanwhile.
	}
}

/** The kernel tells nobody but the parent that a process ended, and these are not our children: look again at growing intervals, to an end. */
async function ended(pid: number): Promise<void> {
	for (let wait = 1; wait <= 256 && environmentOf(pid).length > 0; wait *= 2) await new Promise((resolve) => setTimeout(resolve, wait));
}

function nameOf(pid: number): string {
	try {
		return basename(readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
	} catch {
		return 'gone';
	}
}

function entries(dir: string): readonly string[] {
	try {
		return readdirSync(dir);
	} catch {
		return [];
	}
}
