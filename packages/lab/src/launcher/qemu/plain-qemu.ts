import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CodedError } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import type { ProcessDeps } from '../../process.ts';
import type { MachineConfig } from '../config.ts';
import type { Hypervisor, RunningMachine } from '../hypervisor.ts';
import { startVirtiofsd } from '../shares/virtiofsd.ts';
import { qemuArguments } from './arguments.ts';

/** How much of what QEMU says is kept for the error. */
const keptBytes = 2000;

/** Runs machines by QEMU alone. */
export function plainQemu(deps: ProcessDeps): Hypervisor {
	return { name: 'qemu', start: (config, connected, signal) => start(deps, config, connected, signal) };
}

async function start(deps: ProcessDeps, config: MachineConfig, connected: Promise<unknown>, signal: AbortSignal): Promise<RunningMachine> {
	await using started = new AsyncDisposableStack();
	const shares = await Promise.all(config.shares.map((share) => startVirtiofsd(deps, share, { config, signal, started })));
	signal.throwIfAborted();
	const qemu = spawn('qemu-system-x86_64', qemuArguments(config, { shares, runAs: `${vmmUser}:${vmmUser}` }), {
		env: { ...deps.env, ...config.environment },
		// The fourth is `nicDescriptor`.
		stdio: ['ignore', 'inherit', 'pipe', ...(config.nic?.backend?.kind === 'descriptor' ? [config.nic.backend.fd] : [])],
	});
	let words = '';
	qemu.stderr?.setEncoding('utf8').on('data', (text: string) => {
		process.stderr.write(text);
		words = (words + text).slice(-keptBytes);
	});
	const ended = once(qemu, 'close');
	started.defer(async () => {
		qemu.kill('SIGKILL');
		await ended.catch(() => {});
	});
	const tooEarly = ended.then(
		([status]) => Promise.reject(failedStart(words.trim() || `it ended with status ${status}`)),
		(error: Error) => Promise.reject(failedStart(error.message)),
	);
	const aborted = Promise.withResolvers<never>();
	const onAbort = (): void => aborted.reject(signal.reason);
	signal.addEventListener('abort', onAbort, { once: true });
	try {
		await Promise.race([connected, tooEarly, aborted.promise]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
	tooEarly.catch(() => {});
	const running = started.move();
	return {
		pressPowerButton: (qmp) => qmp.execute('system_powerdown'),
		switchOff: async () => qemu.kill('SIGTERM'),
		lastWords: () => words.trim(),
		[Symbol.asyncDispose]: () => running.disposeAsync(),
	};
}

function failedStart(why: string): CodedError {
	return new CodedError('VM_QEMU', { what: 'the machine did not start', why: `QEMU says: ${why}` });
}
