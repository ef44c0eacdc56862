import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { CodedError } from '@tapestry/base';
import { type LabLayout, labMarker, labsRoot } from './layout.ts';
import { execute, type ProcessDeps } from './process.ts';

/** The processes of a lab: all that inherited its marker, daemons and guests included. Ours is never among them. */
export function labProcesses(layout: LabLayout): readonly number[] {
	return otherProcesses().filter((pid) => belonging(layout, pid) === 'own');
}

function otherProcesses(): readonly number[] {
	return readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.map(Number)
		.filter((pid) => pid !== process.pid);
}

/**
 * Whose a process is. While execve(2) puts another program into it, its memory is there and its environment not yet, and nobody can say.
 * proc(5), /proc/pid/stat: the name in brackets may hold anything; the field behind it is the third.
 */
function belonging(layout: LabLayout, pid: number): 'own' | 'other' | 'unclear' {
	const environment = readProcess(pid, 'environ');
	if (environment !== '') return environment?.split('\0').includes(`${labMarker}=${layout.dir}`) ? 'own' : 'other';
	const stat = readProcess(pid, 'stat') ?? '';
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	const [memory, start, end] = [23, 50, 51].map((field) => fields[field - 3] ?? '0');
	// An ended process has no memory. An environment that is really empty, as of `env -i`, has a place.
	return memory === '0' || (end !== '0' && start === end) ? 'other' : 'unclear';
}

/** Undefined when it has ended meanwhile. */
function readProcess(pid: number, file: string): string | undefined {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8');
	} catch {
		return undefined;
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
	removeIfEmpty(labsRoot);
}

/** Kill rounds: a process may have started another just before it ended. */
async function endProcesses(layout: LabLayout): Promise<void> {
	const rounds = 50;
	for (let round = 0; round < rounds; round++) {
		const found = otherProcesses().map((pid) => ({ pid, whose: belonging(layout, pid) }));
		const rest = found.filter(({ whose }) => whose !== 'other');
		if (rest.length === 0) return;
		for (const { pid, whose } of rest) if (whose === 'own') signalQuietly(pid);
		await Promise.all(rest.map(({ pid, whose }) => passes(() => belonging(layout, pid) !== whose)));
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

/** The kernel tells nobody but the parent what becomes of a process, and these are not our children: look again at growing intervals, to an end. */
async function passes(isOver: () => boolean): Promise<void> {
	for (let wait = 1; wait <= 256 && !isOver(); wait *= 2) await new Promise((resolve) => setTimeout(resolve, wait));
}

function nameOf(pid: number): string {
	return basename(readProcess(pid, 'comm')?.trim() ?? 'gone');
}

/** Another lab may put its first file there at any moment. */
function removeIfEmpty(dir: string): void {
	try {
		rmdirSync(dir);
	} catch (error) {
		if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
	}
}
