import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process that holds a tap open and stands for a VMM and its guest. */
export interface HeldTap {
	readonly process: ChildProcess;
	/** Sends an Ethernet frame as the guest. */
	send(frame: Uint8Array): void;
	/** Resolves with the first frame that reaches the guest from now on and matches. */
	receive(matches: (frame: Buffer) => boolean): Promise<Buffer>;
	/** Ends it, as when a VMM dies. */
	kill(): Promise<void>;
}

export interface HoldOptions {
	readonly name: string;
	readonly queues: number;
	/** Switches all queues but the first off, as QEMU does until the guest's driver asks for them. @default false */
	readonly switchOff?: boolean;
}

const program = fileURLToPath(new URL('hold-tap.py', import.meta.url));

/** Opens a tap by name in a namespace as QEMU does. Resolves once all queues are open. */
export async function holdTap(namespacePath: string, options: HoldOptions): Promise<HeldTap> {
	const { name, queues, switchOff = false } = options;
	const args = [`--net=${namespacePath}`, 'python3', program, name, String(queues), switchOff ? 'off' : 'on'];
	const child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
	const exited = once(child, 'exit');
	const lines = createInterface(child.stdout);
	await Promise.race([once(lines, 'line'), exited.then(() => Promise.reject(new Error(`the holder of ${name} ended early`)))]);
	return {
		process: child,
		send: (frame) => void child.stdin.write(`${Buffer.from(frame).toString('hex')}\n`),
		receive: (matches) =>
			new Promise((resolve) => {
				const onLine = (line: string): void => {
					const frame = Buffer.from(line, 'hex');
					if (!matches(frame)) return;
					lines.off('line', onLine);
					resolve(frame);
				};
				lines.on('line', onLine);
			}),
		async kill() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}
