import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { labProcesses, removeLab } from './cleanup.ts';
import { labLayout, labMarker } from './layout.ts';
import { run } from './process.ts';

const layout = labLayout(`c${randomInt(36 ** 5).toString(36)}`);
const deps = { env: process.env };
afterEach(() => removeLab(deps, layout));

describe('removeLab', () => {
	it('ends what inherited the marker, and nothing else', async () => {
		// Each speaks only when its own program runs: between fork and that nobody can say whose it is.
		const marked = spawn('sh', ['-c', "sh -c 'echo started; kill -STOP $$' & wait"], {
			env: { ...process.env, [labMarker]: layout.dir },
			stdio: ['ignore', 'pipe', 'ignore'],
		});
		const other = spawn('sleep', ['1000'], { env: { ...process.env, [labMarker]: `${layout.dir}x` }, stdio: 'ignore' });
		try {
			await Promise.all([once(marked.stdout, 'data'), once(other, 'spawn')]);
			expect(labProcesses(layout)).toHaveLength(2);
			const ended = once(marked, 'exit');
			await removeLab(deps, layout);
			expect(await ended).toEqual([null, 'SIGKILL']);
			expect(labProcesses(layout)).toEqual([]);
			expect(other.exitCode).toBeNull();
		} finally {
			other.kill('SIGKILL');
		}
	});

	it('removes namespaces by the lab’s prefix, and its files', async () => {
		await run(deps, ['ip', 'netns', 'add', `${layout.prefix}-n1`]);
		await run(deps, ['ip', 'netns', 'add', `${layout.prefix}x`]);
		mkdirSync(layout.logs, { recursive: true });
		writeFileSync(join(layout.logs, 'a.log'), '');
		await removeLab(deps, layout);
		const names = await run(deps, ['ip', 'netns', 'list']);
		await run(deps, ['ip', 'netns', 'delete', `${layout.prefix}x`]);
		expect(names).not.toContain(`${layout.prefix}-n1`);
		expect(names).toContain(`${layout.prefix}x`);
		expect(existsSync(layout.dir)).toBe(false);
	});
});
