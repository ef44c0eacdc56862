import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from '../../../base/src/testing/until.ts';

/** What a program that listens on a device sees, as tcpdump writes it, a line for each packet. */
export interface Capture extends AsyncDisposable {
	readonly lines: readonly string[];
	/** Resolves when a line matches, of those that came before, too. */
	until(pattern: RegExp): Promise<void>;
}

/** Begins to listen; resolves when nothing can be missed any more. */
export async function startCapture(path: string, device: string): Promise<Capture> {
	const argv = ['-i', device, '-n', '-e', '-t', '-l', '-p', '--immediate-mode'];
	const child = spawn('nsenter', [`--net=${path}`, 'tcpdump', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
	const exited = once(child, 'exit');
	const lines: string[] = [];
	const output = createInterface(child.stdout);
	output.on('line', (line) => void lines.push(line));
	let said = '';
	const listening = new Promise<void>((resolve) => {
		child.stderr.setEncoding('utf8').on('data', (text) => {
			said += text;
			if (said.includes('listening on')) resolve();
		});
	});
	const early = once(child, 'close').then(() => Promise.reject(new Error(`tcpdump ended before it listened on ${device}: ${said}`)));
	early.catch(() => {});
	await Promise.race([listening, early]);
	return {
		lines,
		async until(pattern) {
			const subscribe = (listener: () => void) => {
				output.on('line', listener);
				return () => void output.off('line', listener);
			};
			const what = () => `${pattern} on ${device}, which shows\n${lines.join('\n')}\n${said}`;
			await until(what, subscribe, () => lines.some((line) => pattern.test(line)), 20_000);
		},
		async [Symbol.asyncDispose]() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}
