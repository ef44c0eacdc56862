import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, type Logger } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import type { ForwardedPort } from '@tapestry/network';
import type { ProcessDeps } from '../process.ts';
import { says } from './says.ts';

export interface PasstOptions {
	/** Where it listens for QEMU. */
	readonly socket: string;
	/** The pod's interface, whose addresses it gives the guest. */
	readonly ifname: string;
	readonly mtu: number;
	/** What is let in; everything when there is none. */
	readonly forward: readonly ForwardedPort[];
	readonly environment: Readonly<Record<string, string>>;
	readonly signal: AbortSignal;
}

/** The arguments of passt(1). */
export function passtArguments({ socket, ifname, mtu, forward }: Omit<PasstOptions, 'environment' | 'signal'>): readonly string[] {
	const ports = (protocol: ForwardedPort['protocol']): string => {
		const own = forward.filter((one) => one.protocol === protocol).map(({ port }) => port);
		return forward.length === 0 ? 'all' : own.length === 0 ? 'none' : own.join(',');
	};
	return [
		...['--foreground', '--runas', String(vmmUser)],
		// Otherwise what the guest sends to its gateway would end at the pod's loopback.
		'--no-map-gw',
		...['--socket', socket, '--interface', ifname, '--mtu', String(mtu)],
		...['--tcp-ports', ports('tcp'), '--udp-ports', ports('udp')],
	];
}

/** Its last words. Where there is no syslog it says so before each. */
function wordsOf(text: string): readonly string[] {
	return text
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('Failed to send'))
		.slice(-1);
}

/** Speaks for one guest until disposed; resolves when it listens. @throws VM_PASST */
export async function startPasst(deps: ProcessDeps & { readonly log: Logger }, options: PasstOptions): Promise<AsyncDisposable> {
	const { socket, environment, signal } = options;
	const directory = dirname(socket);
	mkdirSync(directory, { recursive: true });
	// It makes the socket as the user that it becomes.
	chownSync(directory, vmmUser, vmmUser);
	chmodSync(directory, 0o755);
	rmSync(socket, { force: true });
	signal.throwIfAborted();
	const daemon = spawn('passt', passtArguments(options), { env: { ...deps.env, ...environment }, stdio: ['ignore', 'ignore', 'pipe'] });
	let words = '';
	daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
		words = (words + text).slice(-2000);
	});
	const ended = once(daemon, 'close').then(
		([status]) => `it ended with status ${status}`,
		(error: Error) => error.message,
	);
	await using stack = new AsyncDisposableStack();
	stack.defer(async () => {
		daemon.kill('SIGKILL');
		await ended;
	});
	const failed = ended.then((why) =>
		Promise.reject(
			new CodedError('VM_PASST', {
				what: 'passt does not run',
				why: [why, ...wordsOf(words)].join(': '),
				// It opens a socket for each port, some 100000 when none is named.
				fix: "install passt; where it has too many open files, name the interface's ports; or use another attachment mode",
			}),
		),
	);
	failed.catch(() => {});
	await Promise.race([says(daemon.stderr, 'You can now start qemu', signal), failed]);
	return stack.move();
}
