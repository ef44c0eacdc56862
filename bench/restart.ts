import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createReflector, type KubeConnection, nodes, type Pod, pods, type Reflector } from '@tapestry/kube';
import { installKinds, labClient, labLayout, labMarker, removeLab, startApiServer, startCentral, startController } from '@tapestry/lab';
import { annotations } from '@tapestry/network';
import { type BenchOptions, type BenchResult, currentConditions, measurement, timed } from './harness.ts';

const minutes = 60_000;
const namespace = 'default';
/** Requests under way at once. */
const width = 32;

/**
 * A cluster of many pods and no nodes' programs: the controller gives each a port, is killed, and started again with one pod more. Its own figures are how
 * long the new pod waits from the start, and what memory it holds.
 */
export async function run({ args }: BenchOptions): Promise<BenchResult> {
	const { values } = parseArgs({
		args: [...args],
		options: { ports: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '3' } },
	});
	const [count, rounds] = [Number(values.ports), Number(values.rounds)];
	const conditions = currentConditions();
	const layout = labLayout(`r${randomInt(36 ** 4).toString(36)}`);
	const deps = { env: { ...process.env, [labMarker]: layout.dir } };
	const signal = AbortSignal.timeout(10 * minutes);
	try {
		mkdirSync(layout.logs, { recursive: true });
		await Promise.all([startCentral(deps, { dir: layout.central, signal }), startApiServer(deps, layout, signal)]);
		await installKinds(layout, signal);
		using client = labClient(layout);
		await client.create(nodes, { metadata: { name: 'n1' } }, { signal });
		await using ports = await PortWatch.open(client, signal);
		// Of a cluster's first pod, which also waits for the default subnet.
		await client.create(pods, pod('first'), { signal });
		let pid = await startController(deps, layout, 'controller', signal);
		await ports.until(() => ports.has('first'));
		process.kill(pid, 'SIGKILL');
		await inParallel(count, (index) => client.create(pods, pod(`p${index}`), { signal }));
		const first = await timed(async () => {
			pid = await startController(deps, layout, 'controller', signal);
			await ports.until(() => ports.given > count);
		});
		const firstMemory = memoryOf(pid);
		const waits: number[] = [];
		const memory: number[] = [];
		for (let round = 0; round < rounds; round++) {
			process.kill(pid, 'SIGKILL');
			const name = `late${round}`;
			await client.create(pods, pod(name), { signal });
			waits.push(
				await timed(async () => {
					pid = await startController(deps, layout, 'controller', signal);
					await ports.until(() => ports.has(name));
				}),
			);
			memory.push(memoryOf(pid));
		}
		const megabytes = (sample: number) => `${Math.round(sample)} MB`;
		const note = `controller's memory ${memory.map(megabytes).join(', ')} after a restart, ${megabytes(firstMemory)} after the first start`;
		return {
			name: 'restart',
			conditions,
			results: [
				measurement(`addresses and rows of ${count} pods`, [first], { perSecond: (count / first) * 1000 }),
				measurement(`the first new port after kill -9 at ${count}`, waits, { note }),
			],
		};
	} finally {
		await removeLab({ env: process.env }, layout);
	}
}

/** Which pods have their addresses written on them, which is done when their rows are committed. */
class PortWatch implements AsyncDisposable {
	readonly #reflector: Reflector<Pod>;
	readonly #given = new Set<string>();
	readonly #stop: () => void;

	private constructor(reflector: Reflector<Pod>) {
		this.#reflector = reflector;
		this.#stop = reflector.onChange(({ key, after }) => {
			if (isGiven(after)) this.#given.add(key);
		});
	}

	get given(): number {
		return this.#given.size;
	}

	static async open(client: KubeConnection, signal: AbortSignal): Promise<PortWatch> {
		const io = { clock: systemClock, random: Math.random, log: silentLogger, client };
		const reflector = createReflector<Pod>(io, { resource: pods, namespace });
		await reflector.synced(signal);
		return new PortWatch(reflector);
	}

	has(name: string): boolean {
		return this.#given.has(`${namespace}/${name}`);
	}

	until(check: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (!check()) return;
				stop();
				resolve();
			};
			const stop = this.#reflector.onChange(look);
			look();
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop();
		await this.#reflector[Symbol.asyncDispose]();
	}
}

const isGiven = (pod: Pod | undefined): boolean => pod?.metadata.annotations?.[annotations.allocated] === 'true';

const pod = (name: string): Pod => ({
	metadata: { name, namespace },
	spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'nginx:alpine' }] },
});

async function inParallel(count: number, action: (index: number) => Promise<unknown>): Promise<void> {
	let next = 0;
	await Promise.all(
		Array.from({ length: width }, async () => {
			while (next < count) await action(next++);
		}),
	);
}

/** Resident, in MB. */
function memoryOf(pid: number): number {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
