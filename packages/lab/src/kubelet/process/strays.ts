import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { podMarker } from './containers.ts';

export interface PodProcess {
	readonly pid: number;
	/** A container's processes are in the group of its holder. */
	readonly group: number;
	/** The pod's directory. */
	readonly pod: string;
}

/** The processes on this machine of the pods whose directories are in `root`. */
export function podProcesses(root: string): readonly PodProcess[] {
	return readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.flatMap((entry) => {
			try {
				const environment = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
				const pod = environment.find((line) => line.startsWith(`${podMarker}=`))?.slice(podMarker.length + 1);
				return pod !== undefined && dirname(pod) === root ? [{ pid: Number(entry), group: groupOf(entry), pod }] : [];
			} catch {
				// It ended meanwhile.
				return [];
			}
		});
}

/** proc(5), /proc/pid/stat: the name in brackets may hold anything; state, parent and group follow it. */
function groupOf(pid: string): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}
