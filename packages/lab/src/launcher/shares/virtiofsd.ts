import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError } from '@tapestry/base';
import type { ProcessDeps } from '../../process.ts';
import type { MachineConfig } from '../config.ts';
import type { ShareSocket } from '../qemu/arguments.ts';
import { says } from '../says.ts';
import type { MachineShare } from '../volumes.ts';

/** Debian 12 ships it with QEMU, later ones as a package of its own. */
const places = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd'];

/** @throws VM_SHARE when what a share needs is not there */
export function checkShares(shares: readonly MachineShare[]): void {
	if (shares.length > 0) findVirtiofsd();
	for (const { tag, path } of shares) {
		if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) continue;
		throw new CodedError('VM_SHARE', {
			what: `filesystem "${tag}" cannot be shared`,
			why: `there is no directory ${path} on this node`,
			fix: 'make it, or correct the path of the volume',
		});
	}
}

/** Serves a directory to one machine until the stack is disposed; resolves when it listens. @throws VM_SHARE */
export async function startVirtiofsd(
	deps: ProcessDeps,
	{ tag, path }: MachineShare,
	options: { readonly config: MachineConfig; readonly signal: AbortSignal; readonly started: AsyncDisposableStack },
): Promise<ShareSocket> {
	const { config, signal, started } = options;
	const socket = join(dirname(config.files.qmpSocket), 'shares', `${config.shares.findIndex((share) => share.tag === tag)}.sock`);
	mkdirSync(dirname(socket), { recursive: true });
	rmSync(socket, { force: true });
	signal.throwIfAborted();
	const daemon = spawn(findVirtiofsd(), [`--socket-path=${socket}`, '-o', `source=${escaped(path)}`], {
		env: { ...deps.env, ...config.environment },
		stdio: ['ignore', 'inherit', 'pipe'],
	});
	daemon.stderr.setEncoding('utf8').on('data', (text: string) => process.stderr.write(text));
	const ended = once(daemon, 'exit').then(
		([status]) => `it ended with status ${status}`,
		(error: Error) => error.message,
	);
	started.defer(async () => {
		daemon.kill('SIGKILL');
		await ended;
	});
	const failed = ended.then((why) => Promise.reject(new CodedError('VM_SHARE', { what: `filesystem "${tag}" cannot be shared`, why })));
	failed.catch(() => {});
	await Promise.race([says(daemon.stderr, 'Waiting for vhost-user socket connection', signal), failed]);
	return { tag, socket };
}

function findVirtiofsd(): string {
	const found = places.find((path) => existsSync(path));
	if (found !== undefined) return found;
	throw new CodedError('VM_SHARE', {
		what: 'this node cannot share directories with machines',
		why: 'virtiofsd is not installed',
		fix: 'install it (Debian 12: qemu-system-common, later: virtiofsd), or remove devices.filesystems',
	});
}

/** Commas part the daemon's options. */
function escaped(path: string): string {
	return path.replaceAll('\\', '\\\\').replaceAll(',', '\\,');
}
