import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process that sends and receives Ethernet frames in place of a workload. */
export interface Wire {
	readonly process: ChildProcess;
	/** When all was open: process.hrtime.bigint(), nanoseconds. */
	readonly openedAt: bigint;
	send(frame: Uint8Array): void;
	/** Resolves with the first frame that arrives from now on and matches. */
	receive(matches: (frame: Buffer) => boolean): Promise<Buffer>;
	/** Ends the process, as when a VMM dies. */
	kill(): Promise<void>;
}

export interface HoldOptions {
	readonly name: string;
	readonly queues: number;
	/** Switches all queues but the first off, as QEMU does until the guest's driver asks for them. @default false */
	readonly switchOff?: boolean;
}

const program = fileURLToPath(new URL('wire-program.ts', import.meta.url));

/** Opens a tap by name in a namespace as QEMU does. Resolves once all queues are open. */
export function holdTap(namespacePath: string, options: HoldOptions): Promise<Wire> {
	const { name, queues, switchOff = false } = options;
	return open(namespacePath, ['tap', name, String(queues), switchOff ? 'off' : 'on']);
}

/** Sends and receives on an interface of a namespace, beside the stack there. */
export function tapInto(namespacePath: string, name: string): Promise<Wire> {
	return open(namespacePath, ['packet', name]);
}

async function open(namespacePath: string, args: readonly string[]): Promise<Wire> {
	const node = [process.execPath, '--disable-warning=ExperimentalWarning', program];
	const child = spawn('nsenter', [`--net=${namespacePath}`, ...node, ...args], {
		stdio: ['pipe', 'pipe', 'inherit'],
		// Each queue's read waits in a thread of its own.
		env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
	});
	const exited = once(child, 'exit');
	const lines = createInterface(child.stdout);
	const [opened] = await Promise.race([
		once(lines, 'line') as Promise<[string]>,
		exited.then(() => Promise.reject(new Error(`wire-program.ts ${args.join(' ')} ended early`))),
	]);
	return {
		process: child,
		openedAt: BigInt(opened.replace('open ', '')),
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
