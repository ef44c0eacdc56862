import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Question =
	| {
			readonly kind: 'tcp' | 'udp';
			readonly address: string;
			readonly port: number;
			/** For peers that answer one client only. */
			readonly sourcePort?: number;
			/** Bytes of payload each way. */
			readonly size: number;
			readonly count: number;
	  }
	| { readonly kind: 'throughput'; readonly address: string; readonly port: number; readonly milliseconds: number };

export interface Answer {
	/** Time there and back of each exchange. */
	readonly microseconds: readonly number[];
	readonly lost: number;
	readonly megabytesPerSecond?: number;
	/** Why there is nothing. */
	readonly failure?: string;
}

/** A client in a namespace. One question at a time. */
export interface Prober extends AsyncDisposable {
	ask(question: Question): Promise<Answer>;
}

const program = join(import.meta.dirname, 'prober-program.ts');

/** @param enter what runs a command in the client's namespace, for example `['nsenter', '--net=PATH']` */
export function startProber(enter: readonly string[]): Prober {
	const [command = '', ...args] = [...enter, process.execPath, '--disable-warning=ExperimentalWarning', program];
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
	const exited = once(child, 'exit');
	const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
	return {
		async ask(question) {
			child.stdin.write(`${JSON.stringify(question)}\n`);
			const { value, done } = await lines.next();
			if (done) throw new Error('the prober ended');
			return JSON.parse(value) as Answer;
		},
		async [Symbol.asyncDispose]() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}
