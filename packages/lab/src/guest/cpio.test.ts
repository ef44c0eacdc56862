import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpioArchive } from './cpio.ts';

const archive = cpioArchive([
	{ path: 'bin', mode: 0o040755 },
	{ path: 'bin/one', mode: 0o100755, data: Buffer.from('x') },
	{ path: 'bin/four', mode: 0o100600, data: Buffer.from('1234') },
	{ path: 'bin/sh', mode: 0o120777, data: Buffer.from('one') },
	{ path: 'empty', mode: 0o100644 },
]);

describe('cpioArchive', () => {
	it('is listed by cpio in order', () => {
		const { stdout, status } = spawnSync('busybox', ['cpio', '-t'], { input: archive, encoding: 'utf8' });
		expect(status).toBe(0);
		expect(stdout.trim().split('\n')).toEqual(['bin', 'bin/one', 'bin/four', 'bin/sh', 'empty']);
	});

	it('is unpacked by cpio to what went in', () => {
		const directory = mkdtempSync(join(tmpdir(), 'cpio-'));
		try {
			expect(spawnSync('busybox', ['cpio', '-i'], { input: archive, cwd: directory }).status).toBe(0);
			expect(readFileSync(join(directory, 'bin/one'), 'utf8')).toBe('x');
			expect(readFileSync(join(directory, 'bin/four'), 'utf8')).toBe('1234');
			expect(statSync(join(directory, 'bin/four')).mode & 0o777).toBe(0o600);
			expect(readlinkSync(join(directory, 'bin/sh'))).toBe('one');
			expect(statSync(join(directory, 'empty')).size).toBe(0);
		} finally {
			rmSync(directory, { recursive: true });
		}
	});

	it('starts each header at a multiple of four bytes', () => {
		const text = Buffer.from(archive).toString('latin1');
		const starts = [...text.matchAll(/070701/g)].map(({ index }) => index % 4);
		expect(starts).toEqual([0, 0, 0, 0, 0, 0]);
	});
});
