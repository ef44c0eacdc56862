import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isCoded } from '@tapestry/base';
import * as sys from './sys.ts';

// mount(2), umount2(2)
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 0x100000;
const MNT_DETACH = 2;

const self = '/proc/thread-self/ns/net';

/** A network namespace held open by a descriptor: it lives on while this is open, whatever happens to its name. */
export class Namespace implements Disposable {
	readonly fd: number;
	/** For messages; the inode below is the identity. */
	readonly path: string;
	readonly inode: number;
	#open = true;

	private constructor(path: string) {
		this.path = path;
		this.fd = openSync(path, 'r');
		this.inode = statSync(path).ino;
	}

	/** @param path for example CNI_NETNS, `/run/netns/NAME` or `/proc/PID/ns/net`. Throws node's ENOENT/EACCES errors. */
	static open(path: string): Namespace {
		return new Namespace(path);
	}

	/** The namespace of this process. */
	static current(): Namespace {
		return new Namespace(self);
	}

	/**
	 * Runs `action` inside the namespace. setns(2) moves only the calling thread, so `action` must be synchronous: what it opens (sockets,
	 * /proc/sys files, taps) stays bound to the namespace afterwards. A process that cannot return would act in the wrong namespace from
	 * then on, so it ends at once.
	 */
	run<T>(action: () => T extends PromiseLike<unknown> ? never : T): T {
		const home = openSync(self, 'r');
		try {
			sys.setNamespace(this.fd, this.path);
			try {
				return action();
			} finally {
				goHome(home);
			}
		} finally {
			closeSync(home);
		}
	}

	[Symbol.dispose](): void {
		if (this.#open) closeSync(this.fd);
		this.#open = false;
	}
}

function goHome(home: number): void {
	try {
		sys.setNamespace(home);
	} catch {
		process.abort();
	}
}

/**
 * Makes a named network namespace, as `ip netns add` does: a new namespace bind-mounted on `path`, usually below /run/netns. That directory becomes a
 * shared mount of itself before the first name, so that other mount namespaces see the names come and go.
 */
export function createNamespace(path: string): void {
	shareDirectory(dirname(path));
	writeFileSync(path, '', { flag: 'wx', mode: 0o444 });
	const home = openSync(self, 'r');
	try {
		sys.unshareNetwork();
		try {
			sys.mount(self, path, MS_BIND);
		} finally {
			goHome(home);
		}
	} catch (error) {
		rmSync(path, { force: true });
		throw error;
	} finally {
		closeSync(home);
	}
}

/** Removes the name; the kernel ends the namespace when nothing uses it any more. Does nothing when there is no such name. */
export function deleteNamespace(path: string): void {
	try {
		sys.unmount(path, MNT_DETACH);
	} catch (error) {
		// EINVAL: the file is there but nothing is mounted on it, as a creation that was killed half-way leaves it.
		if (!isCoded(error, 'LINUX_ENOENT') && !isCoded(error, 'LINUX_EINVAL')) throw error;
	}
	rmSync(path, { force: true });
}

/**
 * What `ip netns add` does at its first call on a machine. Were it left to that, names made earlier would then lie below the new mount, where they can
 * be neither unmounted nor removed (EBUSY). The lock is ip's: whoever comes second finds it done.
 */
function shareDirectory(directory: string): void {
	mkdirSync(directory, { recursive: true });
	const lock = openSync(directory, 'r');
	try {
		sys.lockExclusively(lock, directory);
		try {
			sys.mount('', directory, MS_SHARED | MS_REC);
		} catch (error) {
			// EINVAL: it is no mount point yet.
			if (!isCoded(error, 'LINUX_EINVAL')) throw error;
			sys.mount(directory, directory, MS_BIND | MS_REC);
			sys.mount('', directory, MS_SHARED | MS_REC);
		}
	} finally {
		closeSync(lock);
	}
}
