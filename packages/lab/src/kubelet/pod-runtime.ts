import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, CodedError } from '@tapestry/base';
import { type Pod, timestamp } from '@tapestry/kube';
import { readNetworkConfiguration } from './cni/configuration.ts';
import { podPlaces } from './places.ts';
import {
	adoptContainer,
	exitStatus,
	isReady,
	killContainer,
	killProcess,
	startContainer,
	terminateContainer,
	whenReady,
} from './process/containers.ts';
import { podProcesses } from './process/strays.ts';
import { type ContainerRecord, type PodRecord, RecordStore } from './record.ts';
import { createSandbox, removeSandbox } from './sandbox.ts';
import { containerCommand, pageDirectory, podPage } from './workload.ts';

export interface PodRuntimeDeps {
	readonly clock: Clock;
	/** The environment of plugins and containers. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** A fresh container ID. */
	readonly newId: () => string;
	/** Called with a pod's UID when one of its containers has ended or become ready. */
	readonly onChange: (uid: string) => void;
}

export interface PodRuntimeOptions {
	readonly node: string;
	readonly cniBinDir: string;
	readonly cniConfDir: string;
	/** Directory of the kubelet's state. */
	readonly state: string;
	/** See `containerCommand`. */
	readonly launcher: readonly string[];
}

/** Of whoever opens it. */
const ownNamespace = '/proc/self/ns/net';

/** What runs on the node: sandboxes and containers, with the record of them. Knows nothing of the API. */
export class PodRuntime {
	readonly #deps: PodRuntimeDeps;
	readonly #options: PodRuntimeOptions;
	readonly #records: RecordStore;
	readonly #readiness = new Map<string, () => void>();

	constructor(deps: PodRuntimeDeps, options: PodRuntimeOptions) {
		this.#deps = deps;
		this.#options = options;
		this.#records = new RecordStore(join(options.state, 'pods'));
	}

	/** The UIDs of all pods of which there is something. */
	get uids(): readonly string[] {
		return this.#records.uids;
	}

	record(uid: string): PodRecord | undefined {
		return this.#records.get(uid);
	}

	/** Takes over what an earlier kubelet has left running, and ends what it had started but not yet recorded. */
	recover(): void {
		const processes = podProcesses(join(this.#options.state, 'pods'));
		const alive = new Set(processes.map(({ pid }) => pid));
		const holders = new Set<number>();
		for (const record of this.#records.uids.flatMap((uid) => this.#records.get(uid) ?? [])) {
			for (const [name, { pid }] of Object.entries(record.containers)) {
				if (pid === undefined) continue;
				const directory = this.#containerDirectory(record, name);
				if (alive.has(pid)) {
					holders.add(pid);
					adoptContainer(pid, directory, (status) => this.#ended(record.uid, name, status));
					this.#watchReadiness(record, name);
				} else this.#ended(record.uid, name, exitStatus(directory));
			}
		}
		for (const { pid, group } of processes) if (!holders.has(group)) killProcess(pid);
	}

	/** @throws CNI_CONFIGURATION, CNI_PLUGIN */
	async createSandbox(pod: Pod, signal: AbortSignal): Promise<void> {
		const { uid = '', name, namespace = 'default' } = pod.metadata;
		const network = readNetworkConfiguration(this.#options.cniConfDir);
		const isNode = pod.spec?.hostNetwork === true;
		const netns = isNode ? ownNamespace : podPlaces(this.#options.state, pod).netns;
		const sandbox = { containerId: this.#deps.newId(), netns, network, ...(isNode ? { isNode } : {}) };
		const before = this.#records.get(uid) ?? { uid, name, namespace, startTime: this.#now(), containers: {} };
		const record = { ...before, sandbox };
		if (isNode) {
			this.#records.put({ ...record, sandbox: { ...sandbox, result: { cniVersion: network.cniVersion, ips: [] } } });
			return;
		}
		this.#records.put(record);
		const result = await createSandbox(this.#deps, record, sandbox, { binDir: this.#options.cniBinDir, signal });
		this.#records.put({ ...record, sandbox: { ...sandbox, result } });
	}

	/** @throws CNI_PLUGIN */
	async removeSandbox(uid: string, signal: AbortSignal): Promise<void> {
		const record = this.#records.get(uid);
		if (!record?.sandbox) return;
		if (!record.sandbox.isNode) await removeSandbox(this.#deps, record, record.sandbox, { binDir: this.#options.cniBinDir, signal });
		const { sandbox: _, ...rest } = record;
		this.#records.put(rest);
	}

	/** Starts a container for the first time, or again. */
	start(pod: Pod, name: string): void {
		const record = this.#records.get(pod.metadata.uid ?? '');
		const container = pod.spec?.containers.find((one) => one.name === name);
		if (!record?.sandbox || !container) throw new CodedError('CONTAINER_START', `container ${name} has nowhere to start`);
		const { directory } = podPlaces(this.#options.state, pod);
		mkdirSync(pageDirectory(directory), { recursive: true });
		writeFileSync(join(pageDirectory(directory), 'index.html'), podPage(pod, this.#options.node));
		const start = {
			pod: directory,
			directory: this.#containerDirectory(record, name),
			argv: containerCommand(pod, container, { launcher: this.#options.launcher, directory }),
			netns: record.sandbox.netns,
		};
		const pid = startContainer(this.#deps, start, (status) => this.#ended(record.uid, name, status));
		const before = record.containers[name];
		this.#putContainer(record.uid, name, {
			restarts: before ? before.restarts + 1 : 0,
			startedAt: this.#now(),
			pid,
			ready: false,
			...(before?.exit ? { exit: before.exit } : {}),
		});
		this.#watchReadiness(record, name);
	}

	/** Asks the pod's containers to end. */
	terminate(uid: string): void {
		const record = this.#records.get(uid);
		if (!record) return;
		this.#records.put({ ...record, stopping: true });
		for (const { pid } of Object.values(record.containers)) if (pid !== undefined) terminateContainer(pid);
	}

	/** Ends the pod's containers. */
	kill(uid: string): void {
		for (const { pid } of Object.values(this.#records.get(uid)?.containers ?? {})) if (pid !== undefined) killContainer(pid);
	}

	/** Removes the record of a pod of which nothing is left. */
	forget(uid: string): void {
		this.#records.remove(uid);
	}

	/** Stops watching; what runs goes on. */
	close(): void {
		for (const stop of this.#readiness.values()) stop();
		this.#readiness.clear();
	}

	#watchReadiness(record: PodRecord, name: string): void {
		const directory = this.#containerDirectory(record, name);
		const key = `${record.uid}/${name}`;
		const ready = (): void => {
			this.#readiness.get(key)?.();
			this.#readiness.delete(key);
			const container = this.#records.get(record.uid)?.containers[name];
			if (container?.pid === undefined || container.ready) return;
			this.#putContainer(record.uid, name, { ...container, ready: true });
			this.#deps.onChange(record.uid);
		};
		this.#readiness.set(key, whenReady(directory, ready));
		// It may have come before the watch.
		if (isReady(directory)) ready();
	}

	#ended(uid: string, name: string, status: number): void {
		this.#readiness.get(`${uid}/${name}`)?.();
		this.#readiness.delete(`${uid}/${name}`);
		const container = this.#records.get(uid)?.containers[name];
		if (container === undefined) return;
		const { pid: _, ...rest } = container;
		this.#putContainer(uid, name, { ...rest, ready: false, exit: { status, finishedAt: this.#now() } });
		this.#deps.onChange(uid);
	}

	#putContainer(uid: string, name: string, container: ContainerRecord): void {
		const record = this.#records.get(uid);
		if (record) this.#records.put({ ...record, containers: { ...record.containers, [name]: container } });
	}

	#containerDirectory(record: PodRecord, name: string): string {
		return join(podPlaces(this.#options.state, { metadata: record }).directory, 'containers', name);
	}

	#now(): string {
		return timestamp(this.#deps.clock.now());
	}
}
