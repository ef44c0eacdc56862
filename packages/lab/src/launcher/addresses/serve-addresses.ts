import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CodedError, type Logger } from '@tapestry/base';
import type { ProcessDeps } from '../../process.ts';
import { dnsmasqArguments, type GuestAddresses } from './guest-addresses.ts';

export interface AddressServerOptions {
	/** For the server's file of leases. */
	readonly directory: string;
	readonly environment: Readonly<Record<string, string>>;
	readonly signal: AbortSignal;
}

/** Gives the guest its addresses until disposed; resolves when it listens. @throws VM_ADDRESSES */
export async function serveAddresses(
	deps: ProcessDeps & { readonly log: Logger },
	addresses: GuestAddresses,
	options: AddressServerOptions,
): Promise<AsyncDisposable> {
	const { directory, environment, signal } = options;
	mkdirSync(directory, { recursive: true });
	const leases = join(directory, 'leases');
	// A guest that comes back is known by its hardware address.
	rmSync(leases, { force: true });
	const server = spawn('dnsmasq', dnsmasqArguments(addresses, leases), {
		env: { ...deps.env, ...environment },
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	const ended = once(server, 'close').then(
		([status]) => `dnsmasq ended with status ${status}`,
		(error: Error) => `dnsmasq cannot be run (${error.message})`,
	);
	await using stack = new AsyncDisposableStack();
	stack.defer(async () => {
		server.kill('SIGKILL');
		await ended;
	});
	let last = '';
	const listening = Promise.withResolvers<void>();
	createInterface(server.stderr).on('line', (line) => {
		last = line;
		deps.log.debug('address server', { line });
		if (line.includes('started')) listening.resolve();
	});
	const failed = ended.then((why) =>
		Promise.reject(
			new CodedError('VM_ADDRESSES', {
				what: 'the machine cannot be given addresses',
				why: [why, last].filter((text) => text !== '').join(': '),
				fix: 'install dnsmasq-base, or use a mode in which the network gives them, such as lift',
			}),
		),
	);
	failed.catch(() => {});
	const onAbort = (): void => listening.reject(signal.reason);
	signal.addEventListener('abort', onAbort, { once: true });
	try {
		await Promise.race([listening.promise, failed]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
	return stack.move();
}
