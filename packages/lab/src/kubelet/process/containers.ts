import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@tapestry/base';

export interface ContainerStart {
	/** The pod's directory; by it the processes of a pod are known. */
	readonly pod: string;
	/** Holds the container's own files; its log is `<directory>/log`. */
	readonly directory: string;
	readonly argv: readonly string[];
	/** Path of the network namespace to run in. */
	readonly netns: string;
}

/** Called once when the container has ended, with its status as a shell tells it: 128 and the signal for a killed one. */
export type OnExit = (status: number) => void;

/** Descriptor of a container's process on which it says that it serves; see container.sh and runProgram's --ready-fd. */
export const readyDescriptor = 8;

/** Marks, in the environment, all processes of a pod with the pod's directory. */
export const podMarker = 'TAPESTRY_POD';

const holder = fileURLToPath(new URL('./container.sh', import.meta.url));
/** The status of a process that was ended by SIGKILL: its holder could not write one. */
const killed = 137;

/** Starts a container in a session of its own, so that it outlives us; gives back the pid of its holder. */
export function startContainer(
	deps: { readonly env: Readonly<Record<string, string | undefined>> },
	container: ContainerStart,
	onExit: OnExit,
): number {
	const { pod, directory, argv, netns } = container;
	mkdirSync(directory, { recursive: true });
	for (const name of ['alive', 'alive.new', 'ready', 'exit']) rmSync(join(directory, name), { force: true });
	const log = openSync(join(directory, 'log'), 'a');
	const child = spawn('nsenter', [`--net=${netns}`, 'busybox', 'sh', holder, directory, ...argv], {
		detached: true,
		env: { ...deps.env, [podMarker]: pod },
		stdio: ['ignore', log, log],
	});
	closeSync(log);
	child.unref();
	child.on('error', () => {});
	if (child.pid === undefined) throw new CodedError('CONTAINER_START', 'a process could not be started');
	const { pid } = child;
	child.once('exit', () => {
		// What the program has started and left behind is still in its group.
		signal(-pid, 'SIGKILL');
		onExit(exitStatus(directory));
	});
	return pid;
}

/** Watches a container that an earlier kubelet has started; `pid` must be alive. */
export function adoptContainer(pid: number, directory: string, onExit: OnExit): void {
	const ended = (): void => {
		signal(-pid, 'SIGKILL');
		onExit(exitStatus(directory));
	};
	let descriptor: number;
	try {
		descriptor = openSync(join(directory, 'alive'), constants.O_RDONLY | constants.O_NONBLOCK);
	} catch {
		// Killed before it had made the pipe.
		setImmediate(ended);
		return;
	}
	// The pipe ends when its one writer, the holder, does.
	new Socket({ fd: descriptor, readable: true, writable: false })
		.on('error', () => {})
		.once('close', ended)
		.resume()
		.unref();
}

/** Asks a container's program to end. */
export function terminateContainer(pid: number): void {
	signal(pid, 'SIGTERM');
}

/** Ends a container and all that it has started. */
export function killContainer(pid: number): void {
	signal(-pid, 'SIGKILL');
}

/** Ends one process. */
export function killProcess(pid: number): void {
	signal(pid, 'SIGKILL');
}

/** True when the container has said that it serves. */
export function isReady(directory: string): boolean {
	return existsSync(join(directory, 'ready')) && statSync(join(directory, 'ready')).size > 0;
}

/** Calls back once when the container says that it serves. The returned function ends the watch. */
export function whenReady(directory: string, callback: () => void): () => void {
	mkdirSync(directory, { recursive: true });
	const watcher = watch(directory, { persistent: false }, () => {
		if (!isReady(directory)) return;
		watcher.close();
		callback();
	});
	return () => watcher.close();
}

/** The status that a container has ended with. */
export function exitStatus(directory: string): number {
	try {
		return Number(readFileSync(join(directory, 'exit'), 'utf8'));
	} catch {
		return killed;
	}
}

function signal(pid: number, name: NodeJS.Signals): void {
	try {
		process.kill(pid, name);
	} catch {
		// It ended meanwhile.
	}
}
