import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute, startDaemon } from './process.ts';

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'tapestry-daemon-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('execute', () => {
	it('starts nothing once it is aborted', async () => {
		const started = execute({ env: process.env }, { argv: ['true'], signal: AbortSignal.abort(new Error('stop')) });
		await expect(started).rejects.toThrow('stop');
	});
});

describe('startDaemon', () => {
	it('starts nothing once it is aborted', async () => {
		const logFile = join(dir, 'log');
		const signal = AbortSignal.abort(new Error('stop'));
		await expect(startDaemon({ env: process.env }, { name: 'x', argv: ['true'], logFile, readiness: 'exit', signal })).rejects.toThrow(
			'stop',
		);
		expect(existsSync(logFile)).toBe(false);
	});

	it('ends a daemon that is not ready when the wait is over', async () => {
		const held = join(dir, 'held');
		execFileSync('mkfifo', [held]);
		const abort = new AbortController();
		const started = startDaemon(
			{ env: process.env },
			{
				name: 'sleeper',
				argv: ['sh', '-c', 'exec sleep 60 >"$1"', 'sh', held],
				logFile: join(dir, 'log'),
				readiness: 'line',
				signal: abort.signal,
			},
		);
		const outcome = expect(started).rejects.toMatchObject({ code: 'LAB_DAEMON', text: { what: 'sleeper did not start' } });
		// Opens when the daemon has the other end, and ends with it.
		const pipe = await open(held, 'r');
		abort.abort();
		await outcome;
		expect(await pipe.readFile('utf8')).toBe('');
		await pipe.close();
	});
});
