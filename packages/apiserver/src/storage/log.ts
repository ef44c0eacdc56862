import {
	closeSync,
	fsyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	unlinkSync,
	writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@tapestry/base';
import type { ApiObject } from '../objects.ts';

/**
 * One line of a log or snapshot file. A put carries the whole object; a removal names it. `rv` is the resourceVersion of the change;
 * in a snapshot that of the object.
 */
export type LogRecord =
	| { readonly rv: number; readonly resource: string; readonly object: ApiObject }
	| { readonly rv: number; readonly resource: string; readonly removed: { readonly namespace: string; readonly name: string } };

/** The first line of a snapshot: the newest resourceVersion that it contains. */
interface SnapshotHeader {
	readonly snapshot: number;
}

export interface Recovery {
	/** Called first, with the newest resourceVersion that the snapshot contains (0 without one). */
	base(rv: number): void;
	/** Called for each object of the snapshot. */
	restore(record: LogRecord): void;
	/** Called for each later change, in order. */
	replay(record: LogRecord): void;
}

/**
 * Append-only files in one directory: `log-N` holds the changes after `snapshot-N`. A record is handed to the kernel by a
 * synchronous write before the change is acknowledged, so a killed process loses nothing (a machine that loses power may lose the
 * last seconds: nothing is synced per write).
 */
export class ChangeLog {
	readonly #directory: string;
	#generation: number;
	#fd: number;
	#bytes: number;

	private constructor(directory: string, generation: number, fd: number, bytes: number) {
		this.#directory = directory;
		this.#generation = generation;
		this.#fd = fd;
		this.#bytes = bytes;
	}

	/** Reads everything back, then continues the newest file. Throws STORAGE_CORRUPT when a line other than a torn last one is unreadable. */
	static open(directory: string, recovery: Recovery): ChangeLog {
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		const names = readdirSync(directory);
		const snapshot = Math.max(0, ...generations(names, 'snapshot'));
		if (snapshot === 0) recovery.base(0);
		else restoreSnapshot(join(directory, `snapshot-${snapshot}`), recovery);
		const logs = generations(names, 'log').filter((generation) => generation >= snapshot);
		let kept = 0;
		for (const [index, generation] of logs.entries()) {
			kept = replayLog(join(directory, `log-${generation}`), recovery, index === logs.length - 1);
		}
		const newest = logs.at(-1) ?? snapshot;
		const fd = openSync(join(directory, `log-${newest}`), 'a', 0o600);
		ftruncateSync(fd, kept);
		const log = new ChangeLog(directory, newest, fd, kept);
		log.#dropBefore(snapshot);
		return log;
	}

	/** Bytes written since the last snapshot. */
	get bytes(): number {
		return this.#bytes;
	}

	/** Throws STORAGE_WRITE, and leaves the file as it was, when the line cannot be written whole. */
	append(line: string): void {
		const bytes = Buffer.from(`${line}\n`);
		try {
			for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
		} catch (cause) {
			ftruncateSync(this.#fd, this.#bytes);
			throw new CodedError(
				'STORAGE_WRITE',
				{ what: 'the change was not stored', why: 'its log cannot be written', fix: `free space in ${this.#directory}` },
				{ cause },
			);
		}
		this.#bytes += bytes.length;
	}

	/**
	 * Replaces the files by a snapshot of `records` and an empty log. The new log begins before the snapshot is written, and the
	 * snapshot gets its name only when it is complete, so a crash at any point leaves a readable directory.
	 */
	compact(rv: number, records: Iterable<LogRecord>): void {
		const generation = this.#generation + 1;
		const fd = openSync(join(this.#directory, `log-${generation}`), 'a', 0o600);
		closeSync(this.#fd);
		this.#fd = fd;
		this.#generation = generation;
		this.#bytes = 0;
		const target = join(this.#directory, `snapshot-${generation}`);
		writeSnapshot(`${target}.part`, rv, records);
		renameSync(`${target}.part`, target);
		this.#dropBefore(generation);
	}

	close(): void {
		closeSync(this.#fd);
	}

	#dropBefore(generation: number): void {
		for (const name of readdirSync(this.#directory)) {
			const match = /^(?:log|snapshot)-(\d+)(\.part)?$/.exec(name);
			if (match && (Number(match[1]) < generation || match[2])) unlinkSync(join(this.#directory, name));
		}
	}
}

function generations(names: readonly string[], prefix: string): number[] {
	const found = names.flatMap((name) => {
		const match = new RegExp(`^${prefix}-(\\d+)$`).exec(name);
		return match ? [Number(match[1])] : [];
	});
	return found.sort((a, b) => a - b);
}

function restoreSnapshot(path: string, recovery: Recovery): void {
	const [header = '', ...lines] = readFileSync(path, 'utf8').split('\n');
	recovery.base(parseLine<SnapshotHeader>(path, 1, header).snapshot);
	for (const [index, line] of lines.entries()) {
		if (line !== '') recovery.restore(parseLine<LogRecord>(path, index + 2, line));
	}
}

/** Returns the length in bytes of what was read. In the last log, an unfinished last line was never acknowledged and is left out. */
function replayLog(path: string, recovery: Recovery, last: boolean): number {
	const content = readFileSync(path);
	const end = content.lastIndexOf(0x0a) + 1;
	if (end < content.length && !last) throw corrupt(path, undefined, 'it ends in the middle of a line');
	const lines = content.subarray(0, end).toString('utf8').split('\n');
	for (const [index, line] of lines.entries()) {
		if (line !== '') recovery.replay(parseLine<LogRecord>(path, index + 1, line));
	}
	return end;
}

function parseLine<T>(path: string, number: number, line: string): T {
	try {
		return JSON.parse(line) as T;
	} catch (cause) {
		throw corrupt(path, cause, `line ${number} is not JSON`);
	}
}

function corrupt(path: string, cause: unknown, why: string): CodedError {
	const fix = 'restore the directory from a copy, or remove it to start empty';
	return new CodedError('STORAGE_CORRUPT', { what: `cannot read ${path}`, why, fix }, { cause });
}

const snapshotChunk = 1 << 20;

function writeSnapshot(path: string, rv: number, records: Iterable<LogRecord>): void {
	const fd = openSync(path, 'w', 0o600);
	try {
		const header: SnapshotHeader = { snapshot: rv };
		let pending = `${JSON.stringify(header)}\n`;
		const flush = (): void => {
			const bytes = Buffer.from(pending);
			for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
			pending = '';
		};
		for (const record of records) {
			pending += `${JSON.stringify(record)}\n`;
			if (pending.length > snapshotChunk) flush();
		}
		flush();
		// The older files are deleted next, so here the content must be on disk.
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
