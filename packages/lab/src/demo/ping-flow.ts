import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Clock, CodedError, messageOf } from '@tapestry/base';
import type { RunningWorkload } from '../access/workloads.ts';
import { podPlaces } from '../kubelet/places.ts';
import { vmFiles } from '../launcher/files.ts';
import { guestExec } from '../launcher/guest-exec.ts';
import type { LabLayout } from '../layout.ts';
import { enterNode } from '../nodes/mounts.ts';
import type { ProcessDeps } from '../process.ts';
import { type Answer, parsePingLine } from './ping-line.ts';

export interface FlowDeps extends ProcessDeps {
	readonly clock: Clock;
}

export interface FlowOptions {
	readonly from: RunningWorkload;
	/** Address to ping. */
	readonly address: string;
	readonly intervalMs: number;
	/** Ends the flow. */
	readonly signal: AbortSignal;
}

/** A `ping` that runs in a workload until it is told to end. */
export class PingFlow {
	readonly #answers: Answer[] = [];
	readonly #waiting = new Map<PromiseWithResolvers<void>, number>();
	#rest = '';
	#lastWords = '';
	#ended: CodedError | undefined;

	/** Starts at once; a VM's goes over its serial line, on which nothing else can be run meanwhile. */
	constructor(deps: FlowDeps, layout: LabLayout, options: FlowOptions) {
		const { from, signal } = options;
		const output = (chunk: Uint8Array): void => this.#read(Buffer.from(chunk).toString(), deps.clock.now());
		const run = from.kind === 'vm' ? pingFromGuest(layout, options, output) : pingFromPod(deps, layout, options, output);
		const end = (why: string): void => {
			if (!signal.aborted) this.#end(`${from.kind}/${from.name} -> ${options.address}`, why);
		};
		run.then(
			() => end(this.#lastWords),
			(error: unknown) => end(messageOf(error)),
		);
	}

	/** All so far, as they came. */
	get answers(): readonly Answer[] {
		return this.#answers;
	}

	/** Resolves when `count` more answers have come. @throws DEMO_FLOW when ping has ended */
	async more(count: number): Promise<void> {
		if (this.#ended) throw this.#ended;
		const enough = Promise.withResolvers<void>();
		this.#waiting.set(enough, this.#answers.length + count);
		await enough.promise.finally(() => this.#waiting.delete(enough));
	}

	#read(text: string, now: number): void {
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop() ?? '';
		for (const line of lines) {
			const answer = parsePingLine(line, now);
			if (answer) this.#answers.push(answer);
			else if (line !== '') this.#lastWords = line;
		}
		for (const [enough, count] of this.#waiting) if (this.#answers.length >= count) enough.resolve();
	}

	#end(name: string, why: string): void {
		this.#ended = new CodedError('DEMO_FLOW', { what: `the ping ${name} has ended`, why });
		for (const [enough] of this.#waiting) enough.reject(this.#ended);
	}
}

type Output = (chunk: Uint8Array) => void;

async function pingFromGuest(layout: LabLayout, { from, address, intervalMs, signal }: FlowOptions, output: Output): Promise<void> {
	const { execSocket } = vmFiles(podPlaces(layout.node(from.node).kubeletState, from.pod).directory);
	await guestExec(execSocket, ['ping', '-i', String(intervalMs / 1000), address], { output, signal });
}

async function pingFromPod(deps: ProcessDeps, layout: LabLayout, options: FlowOptions, output: Output): Promise<void> {
	const { from, address, intervalMs, signal } = options;
	signal.throwIfAborted();
	const { netns } = podPlaces(layout.node(from.node).kubeletState, from.pod);
	const ping = ['ping', '-D', '-i', String(intervalMs / 1000), address];
	const [program = '', ...args] = [...enterNode(layout, from.node), 'nsenter', `--net=${netns}`, '--', ...ping];
	const child = spawn(program, args, { env: deps.env, stdio: ['ignore', 'pipe', 'pipe'], signal });
	child.stdout.on('data', output);
	child.stderr.on('data', output);
	await once(child, 'close');
}
