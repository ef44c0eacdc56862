import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { type Clock, CodedError, type Logger } from '@tapestry/base';
import { serveExec } from './exec-server.ts';
import type { VmFiles } from './files.ts';
import { GuestCommands } from './guest-commands.ts';
import { QmpConnection } from './qmp.ts';

export interface VirtualMachineDeps {
	readonly clock: Clock;
	readonly log: Logger;
	/** The environment of QEMU. */
	readonly env: Readonly<Record<string, string | undefined>>;
}

export interface VirtualMachineOptions {
	/** See `qemuArguments`. */
	readonly qemu: readonly string[];
	readonly files: VmFiles;
	/** How long the guest may take to shut down before it is switched off. */
	readonly graceSeconds: number;
	/** Called when the machine runs. */
	readonly onRunning: () => void;
	/** Asks the guest to shut down. */
	readonly signal: AbortSignal;
}

/** Runs a virtual machine to its end: resolves when the guest has shut down or was switched off. @throws VM_QEMU when QEMU fails */
export async function runVirtualMachine(deps: VirtualMachineDeps, options: VirtualMachineOptions): Promise<void> {
	const { files, signal } = options;
	using listeners = new DisposableStack();
	const connected = Promise.all([files.qmpSocket, files.commandsSocket].map((path) => acceptOne(path, listeners)));
	// QEMU inherits our standard error: what it has to say ends up in the pod's log.
	const qemu = spawn('qemu-system-x86_64', options.qemu, { env: deps.env, stdio: ['ignore', 'inherit', 'inherit'] });
	const ended = endOf(qemu);
	const tooEarly = ended.then(() => {
		throw new CodedError('VM_QEMU', 'QEMU ended before the machine ran');
	});
	const switchOff = (): void => void qemu.kill('SIGTERM');
	signal.addEventListener('abort', switchOff, { once: true });
	try {
		const [qmpStream, commandsStream] = (await Promise.race([connected, tooEarly])) as [Socket, Socket];
		const commands = new GuestCommands(commandsStream);
		const exec = serveExec(commands, files.execSocket);
		listeners.defer(() => void exec.close());
		const onEvent = (event: string): void => {
			deps.log.info('QEMU event', { event });
			if (event === 'RESET') commands.reset();
		};
		const qmp = await Promise.race([QmpConnection.open(qmpStream, onEvent), tooEarly]);
		signal.removeEventListener('abort', switchOff);
		const shutDown = (): void => {
			const press = (): void => void qmp.execute('system_powerdown').catch(() => {});
			press();
			// A guest that is still booting does not see the button.
			commands.ready().then(press, () => {});
			listeners.defer(deps.clock.after(options.graceSeconds * 1000, switchOff));
		};
		if (signal.aborted) shutDown();
		else signal.addEventListener('abort', shutDown, { once: true });
		options.onRunning();
		await ended;
	} catch (error) {
		if (!signal.aborted) throw error;
	} finally {
		qemu.kill('SIGKILL');
	}
}

/** Listens until the first connection. */
async function acceptOne(path: string, listeners: DisposableStack): Promise<Socket> {
	rmSync(path, { force: true });
	const server = createServer().listen(path);
	listeners.defer(() => void server.close());
	const [socket] = (await once(server, 'connection')) as [Socket];
	listeners.defer(() => void socket.destroy());
	server.close();
	return socket;
}

async function endOf(qemu: ChildProcess): Promise<void> {
	const [status, signal] = (await once(qemu, 'exit')) as [number | null, string | null];
	if (status === 0) return;
	const why = `it ended with ${signal ?? `status ${status}`}`;
	throw new CodedError('VM_QEMU', { what: 'QEMU failed', why, fix: "see its message in the launcher's log" });
}
