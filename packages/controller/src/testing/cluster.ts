import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isCoded, silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import {
	customResourceDefinitions as crds,
	createKubeClient,
	createReflector,
	type Event,
	events,
	findCondition,
	type KubeConnection,
	type KubeObject,
	type Namespace,
	type Node,
	namespaces,
	nodes,
	type Pod,
	pods,
	type Reflector,
} from '@tapestry/kube';
import {
	annotations,
	customResourceDefinitions,
	type Discrepancy,
	defaultNames,
	monitoredColumns,
	nbSchema,
	type Row,
	type Subnet,
	type Vpc,
} from '@tapestry/network';
import { connect, type Replica, type Session } from '@tapestry/ovsdb';
import { startTestApiServer, type TestApiServer } from '../../../apiserver/src/testing/server.ts';
import { until } from '../../../base/src/testing/until.ts';
import { nbSchemaPath, type OvsdbServer, startOvsdbServer } from '../../../ovsdb/src/testing/server.ts';
import { networkReady } from '../status/reporter.ts';
import { openSources, type Sources } from '../world/sources.ts';
import { verifyNorthbound } from '../world/verify-northbound.ts';

/** How long a test waits for what must come. */
const deadline = 30_000;

/** A Kubernetes API with all kinds installed and an empty Northbound database: everything that a controller talks to. */
export class TestCluster implements AsyncDisposable {
	readonly api: TestApiServer;
	readonly nb: OvsdbServer;
	readonly client: KubeConnection;
	readonly session: Session;
	readonly sources: Sources;
	readonly replica: Replica;
	readonly events: Reflector<Event>;
	readonly #controllers = new Set<TestController>();
	readonly #watchers = new Set<() => void>();

	static async start(): Promise<TestCluster> {
		const [api, nb] = await Promise.all([startTestApiServer(), startOvsdbServer({ schemaPath: nbSchemaPath })]);
		const deps = { clock: systemClock, random: Math.random, log: silentLogger };
		const client = createKubeClient(deps, { kubeconfig: api.kubeconfig });
		for (const definition of customResourceDefinitions()) await client.create(crds, definition as KubeObject);
		for (const name of ['default', 'kube-system']) {
			await client.create<Namespace>(namespaces, { metadata: { name } }).catch((error: unknown) => {
				if (!isCoded(error, 'KUBE_EXISTS')) throw error;
			});
		}
		const session = connect(deps, { endpoint: nb.endpoint });
		const tables = Object.fromEntries(Object.entries(monitoredColumns).map(([table, columns]) => [table, { columns }]));
		const replica = await session.monitor(nbSchema.name, tables);
		const sources = openSources({ ...deps, client });
		await sources.synced(AbortSignal.timeout(deadline));
		return new TestCluster(api, nb, client, session, replica, sources);
	}

	private constructor(api: TestApiServer, nb: OvsdbServer, client: KubeConnection, session: Session, replica: Replica, sources: Sources) {
		this.api = api;
		this.nb = nb;
		this.client = client;
		this.session = session;
		this.replica = replica;
		this.sources = sources;
		this.events = createReflector<Event>({ clock: systemClock, random: Math.random, log: silentLogger, client }, { resource: events });
		const wake = (): void => {
			for (const watcher of [...this.#watchers]) watcher();
		};
		replica.onChange(wake);
		this.events.onChange(wake);
		for (const reflector of this.#reflectors()) reflector.onChange(wake);
	}

	#reflectors(): readonly Reflector[] {
		return Object.values(this.sources).filter((source) => typeof source === 'object' && 'onChange' in source);
	}

	/** A controller as its own process, which dies with this one; resolves when it stands for election. */
	async startController(id: string, ...more: readonly string[]): Promise<TestController> {
		const main = fileURLToPath(new URL('../main.ts', import.meta.url));
		const flags = [
			'--kubeconfig',
			this.api.kubeconfig,
			'--nb',
			this.nb.endpoint,
			'--id',
			id,
			'--log-level',
			'warn',
			'--ready-fd',
			'3',
			...more,
		];
		const argv = ['--pdeathsig', 'KILL', process.execPath, main, ...flags];
		const child = spawn('setpriv', argv, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
		const controller = new TestController(child);
		this.#controllers.add(controller);
		await controller.ready;
		return controller;
	}

	async addNode(name: string, ...addresses: string[]): Promise<void> {
		await this.client.create<Node>(nodes, { metadata: { name } });
		const status = { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) };
		await this.client.patch<Node>(nodes, { name }, 'application/merge-patch+json', { status }, { subresource: 'status' });
	}

	/** A pod that the scheduler has given a node. */
	addPod(
		name: string,
		options: { readonly node?: string; readonly namespace?: string; readonly annotations?: Record<string, string> } = {},
	) {
		const { node = 'n1', namespace = 'default', annotations = {} } = options;
		const metadata = { name, namespace, annotations };
		return this.client.create<Pod>(pods, { metadata, spec: { nodeName: node, containers: [{ name: 'main', image: 'none' }] } });
	}

	pod(name: string, namespace = 'default'): Pod | undefined {
		return this.sources.pods.objects.get(`${namespace}/${name}`);
	}

	/** The event that tells of a problem of an object. */
	eventAbout(name: string, reason: string): Event | undefined {
		return [...this.events.objects.values()].find((event) => event.involvedObject.name === name && event.reason === reason);
	}

	rows(table: keyof typeof monitoredColumns): Row[] {
		return [...this.replica.table(table).values()];
	}

	port(name: string): Row | undefined {
		return this.rows('Logical_Switch_Port').find((row) => row.name === name);
	}

	/** Waits until a port and its lease are both seen: they come by different ways. */
	hasPort(name: string): Promise<true> {
		return this.until(`port ${name}`, () => this.port(name) !== undefined && this.sources.ips.objects.has(name));
	}

	/** In what the database differs from what the API's objects call for. */
	differences(): readonly Discrepancy[] {
		const tables = Object.fromEntries(Object.keys(monitoredColumns).map((table) => [table, this.replica.table(table)]));
		const { vpc, subnet, joinSubnet } = defaultNames;
		return verifyNorthbound(this.sources, tables, { defaultVpc: vpc, defaultSubnet: subnet, joinSubnet, serviceCidrs: [], mtu: 1442 });
	}

	/** Whether a controller that has worked in peace has nothing left to write, and all that it wrote for pods is seen. */
	isWell(): boolean {
		const { vpcs, subnets, pods: podObjects, nodes: nodeObjects } = this.sources;
		const isTold = ({ metadata }: KubeObject) => metadata.annotations?.[annotations.allocated] === 'true';
		const isReady = ({ status }: Vpc | Subnet) => findCondition(status?.conditions as never, 'Ready')?.status === 'True';
		const hasPort = (name: string) => this.port(name) !== undefined && this.sources.ips.objects.has(name);
		const isServed = (pod: Pod) =>
			isTold(pod) &&
			findCondition(pod.status?.conditions, networkReady)?.status !== 'False' &&
			hasPort(`${pod.metadata.name}.${pod.metadata.namespace}`);
		const networks = [...vpcs.objects.values(), ...subnets.objects.values()];
		return networks.every(isReady) && [...podObjects.objects.values()].every(isServed) && [...nodeObjects.objects.values()].every(isTold);
	}

	/** Waits until the condition holds; looks at each change that is seen. `what` is for the message. */
	until(what: string | (() => string), condition: () => boolean): Promise<true> {
		const logs = () => [...this.#controllers].map(({ log }) => log.join('\n')).join('\n');
		const subscribe = (listener: () => void): (() => void) => {
			this.#watchers.add(listener);
			return () => this.#watchers.delete(listener);
		};
		return until(() => `${typeof what === 'string' ? what : what()}\n${logs()}`, subscribe, condition);
	}

	/** Changes, of the API's objects and of the database, from now until `stop` is called. */
	countWrites(): { stop(): readonly string[] } {
		const seen: string[] = [];
		const stops = [
			this.replica.onChange((changes) => {
				seen.push(...changes.map(({ table, uuid }) => `${table} ${uuid}`));
			}),
			...this.#reflectors().map((reflector) => reflector.onChange(({ key, after }) => seen.push(`${after?.kind ?? 'gone'} ${key}`))),
		];
		return {
			stop() {
				for (const stop of stops) stop();
				return seen;
			},
		};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const controller of this.#controllers) await controller.kill('SIGKILL');
		await this.events.close();
		await this.sources[Symbol.asyncDispose]();
		this.client[Symbol.dispose]();
		await this.session.close();
		await this.nb.stop();
		await this.api.close();
	}
}

export class TestController {
	readonly log: string[] = [];
	readonly ready: Promise<void>;
	readonly #child: ChildProcess;

	constructor(child: ChildProcess) {
		this.#child = child;
		createInterface({ input: child.stderr as Readable }).on('line', (line) => this.log.push(line));
		const ready = once(child.stdio[3] as Readable, 'data');
		const exited = once(child, 'exit').then(() => {
			throw new Error(`the controller ended before it was ready:\n${this.log.join('\n')}`);
		});
		exited.catch(() => {});
		this.ready = Promise.race([ready, exited]).then(() => {});
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	async kill(signal: NodeJS.Signals): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const exited = once(this.#child, 'exit');
		this.#child.kill(signal);
		await exited;
	}
}
