import { join } from 'node:path';
import { CodedError } from '@tapestry/base';

/** What a launcher keeps in its pod's directory. */
export interface VmFiles {
	/** The guest's first serial line: kernel log and a shell. QEMU listens; one client at a time. */
	readonly consoleSocket: string;
	/** All that the first serial line has shown. */
	readonly consoleLog: string;
	/** Runs commands in the guest; the launcher listens. See `guestExec`. */
	readonly execSocket: string;
	/** The launcher listens and QEMU connects: the machine protocol, and the guest's second serial line. */
	readonly qmpSocket: string;
	readonly commandsSocket: string;
}

/** sun_path of unix(7), less its final zero. */
const longestSocketPath = 107;
/** Of all sockets that are made there the one with the longest name; libvirtd makes it. */
const longestSocketName = 'libvirt-admin-sock';

/** @throws VM_PATH when the directory is too deep for unix sockets */
export function vmFiles(directory: string): VmFiles {
	const files = {
		consoleSocket: join(directory, 'console.sock'),
		consoleLog: join(directory, 'console.log'),
		execSocket: join(directory, 'exec.sock'),
		qmpSocket: join(directory, 'qmp.sock'),
		commandsSocket: join(directory, 'commands.sock'),
	};
	if (Buffer.byteLength(join(directory, longestSocketName)) <= longestSocketPath) return files;
	throw new CodedError('VM_PATH', {
		what: `a virtual machine cannot keep its sockets in ${directory}`,
		why: `the path of a unix socket has at most ${longestSocketPath} bytes`,
		fix: "use a shorter path for the kubelet's state",
	});
}
