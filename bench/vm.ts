import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import {
	agentPage,
	entrance,
	findWorkload,
	type LabLayout,
	labClient,
	PingFlow,
	type RunningWorkload,
	run as runCommand,
} from '@tapestry/lab';
import { annotations, virtualMachineResource } from '@tapestry/network';
import { type BenchOptions, type BenchResult, currentConditions, type Measurement, measurement } from './harness.ts';
import { namespace, withLab } from './modes/lab-run.ts';
import { Timelines } from './vm/timeline.ts';

const deps = { env: process.env, clock: systemClock };
const node = 'n1';
/** Of the agent's steps those that together are an ADD, and a lift. */
const addSteps = ['add'];
const liftSteps = ['lift-holder', 'lift-move', 'lift-ovs', 'lift-flows'];
const patienceMs = 180_000;

/** What one machine took, in milliseconds; by the measurement's name. */
type Sample = Readonly<Record<string, number>>;

/**
 * Virtual machines from `create` at the API to the first answer to a ping from a pod of the same node, in a lab: one after another, or `--count` at once.
 */
export async function run({ args }: BenchOptions): Promise<BenchResult> {
	const { values } = parseArgs({
		args: [...args],
		options: { rounds: { type: 'string', default: '10' }, count: { type: 'string', default: '1' } },
	});
	const [rounds, count] = [Number(values.rounds), Number(values.count)];
	if (![rounds, count].every((number) => Number.isInteger(number) && number > 0)) throw new Error('--rounds and --count take a number');
	const conditions = currentConditions();
	const results = await withLab(async (layout) => {
		using client = labClient(layout);
		await using timelines = new Timelines({ client, log: silentLogger }, namespace);
		await timelines.synced();
		const prober = await findWorkload(client, { kind: 'pod', name: 'client', namespace });
		const bench = new MachineBench(layout, client, timelines, prober);
		// The first one fills caches of files and of compiled code.
		await bench.round(1);
		if (count > 1) return together(await bench.round(count));
		const samples: Sample[] = [];
		for (let index = 0; index < rounds; index++) samples.push(...(await bench.round(1)));
		return oneByOne(samples);
	});
	return { name: 'vm', conditions, results };
}

interface Machine {
	readonly name: string;
	readonly address: string;
	readonly mac: string;
}

/** The members of the agent's log line that are read here. */
interface LiftLine {
	readonly time: number;
	readonly port: string;
}

class MachineBench {
	readonly #layout: LabLayout;
	readonly #client: ReturnType<typeof labClient>;
	readonly #timelines: Timelines;
	readonly #prober: RunningWorkload;
	#next = 0;

	constructor(layout: LabLayout, client: ReturnType<typeof labClient>, timelines: Timelines, prober: RunningWorkload) {
		this.#layout = layout;
		this.#client = client;
		this.#timelines = timelines;
		this.#prober = prober;
	}

	/** Creates machines at once, waits until each answers, and deletes them. */
	async round(count: number): Promise<readonly Sample[]> {
		const machines = Array.from({ length: count }, () => machine(this.#next++));
		for (const { address, mac } of machines) await this.#knowNeighbour(address, mac);
		const before = await this.#agentSteps();
		const answered = await Promise.all(machines.map((one) => this.#create(one, count === 1 ? 20 : 100)));
		const after = await this.#agentSteps();
		const step = (names: readonly string[]): number =>
			names.reduce((sum, name) => sum + ((after.get(name) ?? 0) - (before.get(name) ?? 0)), 0) / count;
		const lifted = this.#liftedAt();
		const samples = machines.map(({ name }, index) => {
			const { created = 0, first = 0 } = answered[index] ?? {};
			const { lease = 0, launcher = 0, scheduled = 0, routed = 0, running = 0 } = this.#timelines.of(name);
			const share = {
				lease: lease - created,
				// The port names the launcher's node, so it cannot come before the scheduler's word.
				port: Math.max(0, routed - scheduled),
				add: step(addSteps) * 1000,
				lift: step(liftSteps) * 1000,
			};
			return {
				total: first - created,
				...share,
				own: Object.values(share).reduce((sum, ms) => sum + ms),
				launcher: launcher - created,
				running: running - created,
				lifted: (lifted.get(name) ?? 0) - created,
				guest: first - (lifted.get(name) ?? 0),
			};
		});
		for (const { name } of machines) await this.#client.remove(virtualMachineResource, { name, namespace });
		for (const { name } of machines) await this.#timelines.gone(name);
		return samples;
	}

	async #create({ name, address, mac }: Machine, intervalMs: number): Promise<{ readonly created: number; readonly first: number }> {
		const end = new AbortController();
		const signal = AbortSignal.any([end.signal, AbortSignal.timeout(patienceMs)]);
		const flow = new PingFlow(deps, this.#layout, { from: this.#prober, address, intervalMs, signal });
		try {
			const created = Date.now();
			await this.#client.create(virtualMachineResource, virtualMachine({ name, address, mac }));
			const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error(`${name} does not answer`))));
			late.catch(() => {});
			await Promise.race([flow.more(1), late]);
			return { created, first: flow.answers[0]?.at ?? 0 };
		} finally {
			end.abort();
		}
	}

	/** Without it the prober's kernel asks for the address once a second, and the answer to a ping would wait for that. */
	async #knowNeighbour(address: string, mac: string): Promise<void> {
		const enter = await entrance(this.#layout, { kind: 'pod', name: 'client', namespace });
		await runCommand(deps, [...enter, 'ip', 'neigh', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', 'eth0']);
	}

	/** When the flows of each machine were there, as the agent's log tells it. */
	#liftedAt(): ReadonlyMap<string, number> {
		const lines = readFileSync(join(this.#layout.logs, `${node}-agent.log`), 'utf8').split('\n');
		const lifts = lines.filter((line) => line.includes('"lifted a tap into the switch"')).map((line) => JSON.parse(line) as LiftLine);
		return new Map(lifts.map(({ port, time }) => [port.split('.')[0] ?? '', time]));
	}

	/** Seconds that the node's agent has spent in each step so far. */
	async #agentSteps(): Promise<ReadonlyMap<string, number>> {
		const page = await agentPage(this.#layout, node, '/metrics', AbortSignal.timeout(10_000));
		return new Map(
			[...page.matchAll(/^tapestry_attach_step_seconds_sum\{step="(.*?)"\} (\S+)$/gm)].map(([, step = '', sum]) => [step, Number(sum)]),
		);
	}
}

function machine(index: number): Machine {
	return { name: `vm${index}`, address: `10.16.200.${index + 1}`, mac: `02:00:00:00:c8:${(index + 1).toString(16).padStart(2, '0')}` };
}

function virtualMachine({ name, address, mac }: Machine) {
	return {
		apiVersion: 'kubevirt.io/v1',
		kind: 'VirtualMachine',
		metadata: { name, namespace },
		spec: {
			runStrategy: 'Always',
			template: {
				metadata: { annotations: { [annotations.ipAddress]: address } },
				spec: {
					nodeSelector: { 'kubernetes.io/hostname': node },
					// Switched off at once when it is deleted.
					terminationGracePeriodSeconds: 0,
					domain: {
						memory: { guest: '192Mi' },
						devices: { interfaces: [{ name: 'default', macAddress: mac, binding: { name: 'tapestry' } }] },
					},
					networks: [{ name: 'default', pod: {} }],
				},
			},
		},
	};
}

function oneByOne(samples: readonly Sample[]): readonly Measurement[] {
	const of = (name: string, key: string, note?: string): Measurement =>
		measurement(
			name,
			samples.map((sample) => sample[key] ?? Number.NaN),
			note === undefined ? {} : { note },
		);
	return [
		of('VM: create to first ping', 'total', 'one at a time, 192 MiB, from a pod of its node, pings every 20 ms'),
		of('own share', 'own', 'the next four together'),
		of('  lease', 'lease', 'VM created to IP object'),
		of('  logical port', 'port', 'launcher scheduled to annotation "routed"'),
		of('  CNI ADD', 'add', 'in the agent'),
		of('  lift', 'lift', 'in the agent: holder, move, port, flows'),
		of('on the way: launcher pod made', 'launcher', 'VM created to its launcher pod'),
		of('on the way: launcher runs', 'running', 'VM created to phase Running'),
		of('on the way: lifted', 'lifted', 'VM created to flows installed'),
		of('on the way: guest boots', 'guest', 'lifted to first ping'),
	];
}

function together(samples: readonly Sample[]): readonly Measurement[] {
	const of = (name: string, key: string, note: string): Measurement =>
		measurement(
			`${name}, ${samples.length} VMs at once`,
			samples.map((sample) => sample[key] ?? Number.NaN),
			{ note },
		);
	return [
		of('create to first ping', 'total', 'all answered; pings every 100 ms'),
		of('create to lifted', 'lifted', 'flows installed'),
		of('CNI ADD', 'add', 'mean'),
		of('lift', 'lift', 'mean'),
	];
}
