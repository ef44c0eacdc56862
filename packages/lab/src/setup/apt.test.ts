import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkMachine, installPackages, missingPackages } from './apt.ts';
import type { DebianPackage } from './packages.ts';

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'tapestry-apt-'));
});
afterEach(() => {
	vi.restoreAllMocks();
	rmSync(dir, { recursive: true });
});

/** A machine of which only the programs in `dir` are seen, and what every machine has in sbin. */
const bare = () => ({ env: { PATH: dir } });

function program(name: string, script = 'exit 0'): void {
	writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
	chmodSync(join(dir, name), 0o755);
}

const names = () => missingPackages(bare()).map(({ name }) => name);

describe('missingPackages', () => {
	it('names the package of every program that is not in PATH', () => {
		expect(names()).toEqual(expect.arrayContaining(['gcc', 'qemu-system-x86', 'kubernetes-client']));
		program('gcc');
		program('kubectl');
		expect(names()).toContain('qemu-system-x86');
		expect(names()).not.toContain('gcc');
		expect(names()).not.toContain('kubernetes-client');
	});

	it('wants all that a package provides', () => {
		program('ovn-nbctl');
		expect(names()).toContain('ovn-common');
		for (const name of ['ovn-sbctl', 'ovn-trace', 'ovn-appctl']) program(name);
		expect(names()).not.toContain('ovn-common');
	});

	it('does not take a file for a program', () => {
		writeFileSync(join(dir, 'gcc'), '');
		expect(names()).toContain('gcc');
	});
});

describe('checkMachine', () => {
	it('refuses to work without root, and says what for', () => {
		vi.spyOn(process, 'getuid').mockReturnValue(1000);
		expect(() => checkMachine(bare())).toThrow(
			expect.objectContaining({
				code: 'SETUP_ROOT',
				text: { what: expect.anything(), why: expect.anything(), fix: expect.stringContaining('root') },
			}),
		);
	});

	it('refuses another system', () => {
		vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
		expect(() => checkMachine(bare())).toThrow(
			expect.objectContaining({ code: 'SETUP_PLATFORM', message: expect.stringContaining('darwin') }),
		);
	});

	it('refuses a Linux without apt only where something would have to be installed', () => {
		vi.spyOn(process, 'getuid').mockReturnValue(0);
		expect(() => checkMachine(bare())).toThrow(
			expect.objectContaining({ code: 'SETUP_PLATFORM', message: expect.stringMatching(/nor is.* gcc/) }),
		);
		program('apt-get');
		expect(() => checkMachine(bare())).not.toThrow();
	});
});

describe('installPackages', () => {
	/** `sh` is there from the start: after a successful apt nothing is missing. */
	const wanted: DebianPackage = { name: 'gcc', provides: ['sh'] };
	const deps = () => ({ env: { PATH: `${dir}:/usr/bin:/bin` } });
	const policyFile = () => join(dir, 'policy-rc.d');
	const calls = () => readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n');
	/** Notes its arguments and what the daemons' policy is, then does as told. */
	const apt = (then: string) => program('apt-get', `echo "$* policy=$(sh ${policyFile()}; echo $?)" >>${dir}/calls\n${then}`);

	it('reads the package lists, then installs, with no daemon allowed to start', async () => {
		apt('exit 0');
		await installPackages(deps(), [wanted], { policyFile: policyFile() });
		expect(calls()).toEqual([
			expect.stringMatching(/update policy=101$/),
			expect.stringMatching(/install -y --no-install-recommends gcc policy=101$/),
		]);
		expect(existsSync(policyFile())).toBe(false);
	});

	it('runs nothing when nothing is missing', async () => {
		apt('exit 1');
		await installPackages(deps(), [], { policyFile: policyFile() });
		expect(existsSync(join(dir, 'calls'))).toBe(false);
	});

	it("fails with apt's own words and leaves nothing", async () => {
		apt('echo "E: Unable to locate package gcc" >&2; exit 100');
		await expect(installPackages(deps(), [wanted], { policyFile: policyFile() })).rejects.toMatchObject({
			code: 'SETUP_PACKAGES',
			text: {
				what: expect.stringContaining('gcc'),
				why: expect.stringContaining('E: Unable to locate package gcc'),
				fix: expect.stringContaining('apt-get install gcc'),
			},
		});
		expect(calls()).toHaveLength(1);
		expect(existsSync(policyFile())).toBe(false);
	});

	it('tells when apt succeeded and the program is still not there', async () => {
		apt('exit 0');
		const other: DebianPackage = { name: 'other', provides: ['sh', 'no-such-program', '/no/such/file'] };
		await expect(installPackages(deps(), [other], { policyFile: policyFile() })).rejects.toMatchObject({
			code: 'SETUP_PACKAGES',
			message: expect.stringMatching(/still missing: no-such-program, \/no\/such\/file /),
		});
	});

	it("keeps the machine's own policy, and removes one of ours that a killed run left", async () => {
		apt('exit 0');
		writeFileSync(policyFile(), '#!/bin/sh\nexit 0\n');
		await installPackages(deps(), [wanted], { policyFile: policyFile() });
		expect(readFileSync(policyFile(), 'utf8')).toBe('#!/bin/sh\nexit 0\n');

		rmSync(policyFile());
		program('setsid', `cp ${policyFile()} ${dir}/ours`);
		await installPackages(deps(), [wanted], { policyFile: policyFile() });
		writeFileSync(policyFile(), readFileSync(join(dir, 'ours')));
		await installPackages(deps(), [wanted], { policyFile: policyFile() });
		expect(existsSync(policyFile())).toBe(false);
	});

	it('stops when it is aborted, but not in the middle of an installation', async () => {
		const gate = join(dir, 'gate');
		execFileSync('mkfifo', [gate]);
		apt(`case "$*" in *install*) read -r line <${gate}; echo finished >>${dir}/calls ;; esac`);
		const abort = new AbortController();
		const result = installPackages(deps(), [wanted], { policyFile: policyFile(), signal: abort.signal });
		const outcome = expect(result).rejects.toThrow('stop');
		// Opens once apt reads from the other end.
		const opened = await open(gate, 'w');
		abort.abort(new Error('stop'));
		await opened.close();
		await outcome;
		expect(calls()).toEqual([expect.stringMatching(/update/), expect.stringMatching(/install/), 'finished']);
		await expect(installPackages(deps(), [wanted], { policyFile: policyFile(), signal: abort.signal })).rejects.toThrow('stop');
		expect(calls()).toHaveLength(3);
		expect(existsSync(policyFile())).toBe(false);
	});
});
