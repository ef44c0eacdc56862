import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Ports of everybody who answers in these benchmarks. */
export const ports = { tcp: 7007, udp: 7008, sink: 7009, client: 7010 } as const;

/** How a port appears in the kernel's tables. */
const kernelName = (port: number): string => `:${port.toString(16).toUpperCase()}`;
const background = (server: string): string => `setsid ${server} </dev/null >/dev/null 2>&1 &`;
/** Starts the same in the lab's guest, with what is there. */
export const guestServers = [
	background(`nc -ll -p ${ports.tcp} -e cat`),
	background(`nc -ll -p ${ports.sink} -e dd of=/dev/null bs=65536`),
	background(`udp-echo ${ports.udp}`),
	// Their sockets are there a moment after they started.
	`until ${[ports.tcp, ports.sink, ports.udp].map((port) => `grep -q ${kernelName(port)} /proc/net/tcp* /proc/net/udp*`).join(' && ')}; do sleep 0.1; done`,
].join('\n');

const program = join(import.meta.dirname, 'echo-program.ts');

/** Starts the three that answer `peer` from a namespace. Ends them on disposal. */
export async function startEchoes(enter: readonly string[], address: string, peer: string): Promise<AsyncDisposable> {
	const where = ['--address', address];
	const children = await Promise.all([
		start(enter, ['tcp', ...where, '--port', String(ports.tcp)]),
		start(enter, ['udp', ...where, '--port', String(ports.udp), '--peer', peer, '--peer-port', String(ports.client)]),
		start(enter, ['sink', ...where, '--port', String(ports.sink)]),
	]);
	return {
		async [Symbol.asyncDispose]() {
			await Promise.all(
				children.map(async (child) => {
					const exited = once(child, 'exit');
					child.kill('SIGKILL');
					if (child.exitCode === null && child.signalCode === null) await exited;
				}),
			);
		},
	};
}

async function start(enter: readonly string[], args: readonly string[]): Promise<ChildProcess> {
	const [command = '', ...rest] = [...enter, process.execPath, '--disable-warning=ExperimentalWarning', program, ...args];
	const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = once(child, 'exit').then(() => Promise.reject(new Error(`echo-program.ts ${args.join(' ')} ended early`)));
	ended.catch(() => {});
	await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
	return child;
}
