import { once } from 'node:events';
import { chownSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { type Clock, CodedError, type Logger } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import type { MachineConfig } from './config.ts';
import { serveExec } from './exec-server.ts';
import { GuestCommands } from './guest-commands.ts';
import type { Hypervisor } from './hypervisor.ts';
import { QmpConnection } from './qmp.ts';

export interface VirtualMachineDeps {
	readonly clock: Clock;
	readonly log: Logger;
	readonly hypervisor: Hypervisor;
}

export interface VirtualMachineOptions {
	readonly config: MachineConfig;
	/** How long the guest may take to shut down before it is switched off. */
	readonly graceSeconds: number;
	/** Called when the machine runs. */
	readonly onRunning: () => void;
	/** Asks the guest to shut down. */
	readonly signal: AbortSignal;
}

/**
 * Runs a virtual machine to its end: resolves when the guest has shut down or was switched off. A guest that restarts keeps its VMM.
 * @throws VM_QEMU when the VMM fails, VM_LIBVIRT, VM_SHARE
 */
export async function runVirtualMachine(deps: VirtualMachineDeps, options: VirtualMachineOptions): Promise<void> {
	try {
		await run(deps, options);
	} catch (error) {
		if (!options.signal.aborted) throw error;
	}
}

async function run(deps: VirtualMachineDeps, options: VirtualMachineOptions): Promise<void> {
	const { clock, hypervisor, log } = deps;
	const { config, signal } = options;
	const { files } = config;
	using listeners = new DisposableStack();
	const connected = Promise.all([acceptOne(files.qmpSocket, listeners), acceptOne(files.commandsSocket, listeners)]);
	await using machine = await hypervisor.start(config, connected, signal);
	const [qmpStream, commandsStream] = await connected;
	const commands = new GuestCommands(commandsStream);
	const exec = serveExec(commands, files.execSocket);
	listeners.defer(() => void exec.close());
	let isOver = false;
	const qmp = await QmpConnection.open(qmpStream, (event) => {
		log.info('QEMU event', { event });
		if (event === 'RESET') commands.reset();
		// QEMU's last word, unless it is killed or crashes.
		if (event === 'SHUTDOWN') isOver = true;
	});
	const report = (error: unknown): void => {
		if (!isOver) log.warn('the machine cannot be told to end', { error });
	};
	const shutDown = (): void => {
		const press = (): void => void machine.pressPowerButton(qmp).catch(report);
		press();
		// A guest that is still booting does not see the button.
		commands.ready().then(press, () => {});
		listeners.defer(clock.after(options.graceSeconds * 1000, () => void machine.switchOff().catch(report)));
	};
	listeners.defer(() => signal.removeEventListener('abort', shutDown));
	if (signal.aborted) shutDown();
	else signal.addEventListener('abort', shutDown, { once: true });
	options.onRunning();
	await qmp.closed;
	if (isOver) return;
	throw new CodedError('VM_QEMU', { what: 'the machine ended unexpectedly', why: machine.lastWords() || 'QEMU was killed or has crashed' });
}

/** Listens until the first connection. */
async function acceptOne(path: string, listeners: DisposableStack): Promise<Socket> {
	rmSync(path, { force: true });
	const server = createServer().listen(path);
	listeners.defer(() => void server.close());
	// libvirt starts QEMU as its user; by itself it changes to that one later.
	server.once('listening', () => chownSync(path, vmmUser, vmmUser));
	const [socket] = (await once(server, 'connection')) as [Socket];
	listeners.defer(() => void socket.destroy());
	server.close();
	return socket;
}
