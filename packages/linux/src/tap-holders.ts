import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** A process that holds a tap open. */
export interface TapHolder {
	readonly pid: number;
	/** Base name of its executable, for example `qemu-system-x86_64`. */
	readonly executable: string;
	/** How many of the tap's queues it holds. */
	readonly queues: number;
}

/**
 * The processes of a network namespace that hold the tap called `name` open, the newest first: who has just opened it is found at once. Reads /proc
 * (the `iff:` line of /proc/PID/fdinfo, which the tun driver writes), some 10 microseconds for each process of the machine: for decisions, not for loops.
 */
export function* findTapHolders(namespaceInode: number, name: string): Generator<TapHolder> {
	const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
	for (const pid of pids.sort((a, b) => Number(b) - Number(a))) {
		if (ended(() => statSync(`/proc/${pid}/ns/net`).ino) !== namespaceInode) continue;
		const queues = countQueues(pid, name);
		if (queues > 0) yield { pid: Number(pid), executable: executableOf(pid), queues };
	}
}

function countQueues(pid: string, name: string): number {
	const descriptors = ended(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
	return descriptors.filter((fd) => {
		if (ended(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) !== '/dev/net/tun') return false;
		const info = ended(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? '';
		return info.split('\n').includes(`iff:\t${name}`);
	}).length;
}

function executableOf(pid: string): string {
	// The kernel appends a mark when the file was replaced, as an upgrade does.
	return basename((ended(() => readlinkSync(`/proc/${pid}/exe`)) ?? '').replace(/ \(deleted\)$/, ''));
}

/** Processes end while they are looked at, and kernel threads have no files. */
function ended<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}
