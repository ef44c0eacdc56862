import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Between a tap that is there, of the namespace at `from`, and a new one of the namespace at `to`. Resolves when both are open; returns its end. */
export async function cable(from: string, tap: string, to: string, device: string): Promise<() => Promise<void>> {
	const program = fileURLToPath(new URL('cable-program.ts', import.meta.url));
	const argv = [`--net=${from}`, process.execPath, '--disable-warning=ExperimentalWarning', program, tap, to, device];
	const child = spawn('nsenter', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
	const exited = once(child, 'exit');
	const failed = exited.then(() => Promise.reject(new Error(`cable-program.ts ${tap} ended early`)));
	failed.catch(() => {});
	await Promise.race([once(child.stdout, 'data'), failed]);
	return async () => {
		child.kill('SIGKILL');
		await exited;
	};
}
