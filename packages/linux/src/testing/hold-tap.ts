import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../namespace.ts';

export interface TapHolder {
	readonly process: ChildProcess;
	/** Ends the holder, as when a VMM dies. */
	kill(): Promise<void>;
}

const program = fileURLToPath(new URL('hold-tap.py', import.meta.url));

/**
 * A process that opens a tap by name in a namespace as QEMU does: all queues first, then (with `switchOff`) all but the first switched off until
 * the guest's driver asks for them. Resolves once that is done.
 */
export async function holdTap(
	namespace: Namespace,
	options: { readonly name: string; readonly queues: number; readonly switchOff?: boolean; readonly executable?: string },
): Promise<TapHolder> {
	const { name, queues, switchOff = false, executable = 'python3' } = options;
	// An executable's name is what tells a VMM from others, so tests may run the interpreter under another one.
	const args = [`--net=${namespace.path}`, executable, program, name, String(queues), switchOff ? 'off' : 'on'];
	const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
	const exited = once(child, 'exit');
	await Promise.race([once(child.stdout, 'data'), exited.then(() => Promise.reject(new Error(`the holder of ${name} ended early`)))]);
	return {
		process: child,
		async kill() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}
