import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CniResult, NetworkConfiguration } from './cni/types.ts';

/** One of a pod's containers: here, a process. */
export interface ContainerRecord {
	readonly restarts: number;
	/** RFC 3339. */
	readonly startedAt: string;
	/** The process that holds the container, while it runs. */
	readonly pid?: number;
	/** Whether it has said that it serves. */
	readonly ready: boolean;
	/** How it last ended; kept while it runs again. */
	readonly exit?: { readonly status: number; readonly finishedAt: string };
}

export interface SandboxRecord {
	readonly containerId: string;
	readonly netns: string;
	/** What the sandbox was, or is being, added to: a DEL must see the same, even when the node's configuration has changed. */
	readonly network: NetworkConfiguration;
	/** Absent until the ADD has succeeded. */
	readonly result?: CniResult;
	/** The node's own namespace, which no plugin is asked for: `netns` is that of the kubelet. */
	readonly isNode?: boolean;
}

/** What the kubelet has made for a pod. It is written before the step that it tells of, so that nothing is ever lost. */
export interface PodRecord {
	readonly uid: string;
	readonly name: string;
	readonly namespace: string;
	/** RFC 3339. */
	readonly startTime: string;
	readonly sandbox?: SandboxRecord;
	readonly containers: Readonly<Record<string, ContainerRecord>>;
	/** Whether the containers were asked to end. */
	readonly stopping?: boolean;
}

const fileName = 'pod.json';

/** The records of all pods, in memory and in `directory`. */
export class RecordStore {
	readonly #directory: string;
	readonly #records: Map<string, PodRecord>;

	constructor(directory: string) {
		this.#directory = directory;
		mkdirSync(directory, { recursive: true });
		const records = readdirSync(directory).flatMap((uid) => readRecord(join(directory, uid)) ?? []);
		this.#records = new Map(records.map((record) => [record.uid, record]));
	}

	get uids(): readonly string[] {
		return [...this.#records.keys()];
	}

	get(uid: string): PodRecord | undefined {
		return this.#records.get(uid);
	}

	put(record: PodRecord): void {
		const directory = join(this.#directory, record.uid);
		mkdirSync(directory, { recursive: true });
		const file = join(directory, fileName);
		writeFileSync(`${file}.new`, JSON.stringify(record));
		renameSync(`${file}.new`, file);
		this.#records.set(record.uid, record);
	}

	/** Forgets the pod and removes its directory. */
	remove(uid: string): void {
		rmSync(join(this.#directory, uid), { recursive: true, force: true });
		this.#records.delete(uid);
	}
}

/** A directory without a record was made just before the kubelet was killed; nothing else exists of that pod. */
function readRecord(directory: string): PodRecord | undefined {
	try {
		return JSON.parse(readFileSync(join(directory, fileName), 'utf8')) as PodRecord;
	} catch {
		rmSync(directory, { recursive: true, force: true });
		return undefined;
	}
}
