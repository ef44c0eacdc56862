import type { MachineConfig } from './config.ts';
import type { HypervisorName } from './machine.ts';
import type { QmpConnection } from './qmp.ts';

/** A way to run a machine. Whichever it is, its QEMU connects to the launcher's sockets for QMP and commands. */
export interface Hypervisor {
	readonly name: HypervisorName;
	/**
	 * Starts a machine; resolves when its VMM runs and has connected.
	 * @param connected resolves when the VMM has connected
	 * @throws VM_QEMU, VM_LIBVIRT, VM_SHARE with what the VMM says
	 */
	start(config: MachineConfig, connected: Promise<unknown>, signal: AbortSignal): Promise<RunningMachine>;
}

/** A machine that was started; disposing it ends all that was started for it. */
export interface RunningMachine extends AsyncDisposable {
	/** Asks the guest to shut down. @param qmp the launcher's own connection, for a VMM that nothing else controls */
	pressPowerButton(qmp: QmpConnection): Promise<unknown>;
	/** Ends the machine at once. */
	switchOff(): Promise<unknown>;
	/** What the VMM has said last; empty when that is not known. */
	lastWords(): string;
}
