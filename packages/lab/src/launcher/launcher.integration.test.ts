import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testImage } from '../guest/testing/test-image.ts';
import { vmFiles } from './files.ts';
import { guestConsole } from './guest-console.ts';
import { guestExec } from './guest-exec.ts';
import { createVmNetwork } from './testing/vm-network.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const addresses = { mac: '00:00:00:5e:00:53', address: '10.9.8.7', gateway: '10.9.8.1', mtu: 1300 };
const vmi = {
	apiVersion: 'kubevirt.io/v1',
	kind: 'VirtualMachineInstance',
	metadata: { name: 'vm1', namespace: 'default' },
	spec: { domain: { memory: { guest: '192Mi' } }, terminationGracePeriodSeconds: 60 },
};

describe('the launcher', () => {
	const directory = mkdtempSync(join(tmpdir(), 'launcher-'));
	const files = vmFiles(directory);
	const cleanup = new AsyncDisposableStack();
	let launcher: ChildProcess;
	let ended: Promise<unknown[]>;
	let inNetwork: (...argv: readonly string[]) => string;

	const exec = async (...argv: readonly string[]): Promise<{ status: number; output: string }> => {
		const chunks: Uint8Array[] = [];
		const status = await guestExec(files.execSocket, argv, { output: (chunk) => chunks.push(chunk), signal: AbortSignal.timeout(60_000) });
		return { status, output: Buffer.concat(chunks).toString() };
	};

	beforeAll(async () => {
		cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
		const image = await testImage();
		const network = cleanup.use(await createVmNetwork(`tpt-vm-${randomBytes(3).toString('hex')}`, join(directory, 'dhcp'), addresses));
		inNetwork = network.run;
		const api = createServer((request, response) => {
			expect(request.url).toBe('/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/vm1');
			response.end(JSON.stringify(vmi));
		});
		cleanup.defer(() => void api.close());
		const [apiSocket, kubeconfig] = [join(directory, 'api.sock'), join(directory, 'kubeconfig')];
		api.listen(apiSocket);
		const named = { clusters: [{ name: 'c', cluster: { server: 'http://api' } }], contexts: [{ name: 'c', context: { cluster: 'c' } }] };
		writeFileSync(kubeconfig, JSON.stringify({ ...named, 'current-context': 'c' }));
		const flags = [`--kubeconfig=${kubeconfig}`, `--api-socket=${apiSocket}`, `--guest=${image.directory}`, `--state=${directory}`];
		const [enter = '', ...argv] = [
			...network.enter,
			process.execPath,
			main,
			...flags,
			'--vmi=vm1',
			'--pod=virt-launcher-vm1',
			'--ready-fd=3',
		];
		launcher = spawn(enter, argv, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], detached: true });
		ended = once(launcher, 'exit');
		cleanup.defer(async () => {
			// The group: QEMU too, should the launcher have died.
			spawnSync('kill', ['-KILL', '--', `-${launcher.pid}`]);
			await ended;
		});
		const ready = once(launcher.stdio[3] as NodeJS.ReadableStream, 'data');
		await Promise.race([ready, ended.then(() => Promise.reject(new Error('the launcher ended early')))]);
	}, 120_000);

	afterAll(() => cleanup.disposeAsync());

	it('runs commands as soon as the guest is up, and passes on their status', async () => {
		expect(await exec('hostname')).toEqual({ status: 0, output: 'vm1\n' });
		expect(await exec('sh', '-c', 'echo "it\'s here"; exit 7')).toEqual({ status: 7, output: "it's here\n" });
		expect((await exec('no-such-program')).status).toBe(127);
	});

	it('boots a guest that says what the network gave it', () => {
		const ready = 'GUEST READY name=vm1 mac=00:00:00:5e:00:53 mtu=1300 addresses=10.9.8.7/24';
		expect(readFileSync(files.consoleLog, 'utf8')).toContain(ready);
	});

	it('takes route and name server from DHCP', async () => {
		expect((await exec('ip', 'route', 'show', 'default')).output).toContain('default via 10.9.8.1 dev eth0');
		expect((await exec('cat', '/etc/resolv.conf')).output).toBe('nameserver 10.9.8.1\n');
	});

	it('serves a page with its name over the tap, and echoes', () => {
		expect(inNetwork('curl', '--silent', '--max-time', '20', 'http://10.9.8.7/')).toBe('vm vm1\n');
		expect(inNetwork('busybox', 'sh', '-c', 'echo hello | busybox nc -w 20 10.9.8.7 7')).toBe('hello\n');
	});

	it('does not carry more output into an answer than its command has', async () => {
		const { output } = await exec('seq', '1', '3000');
		expect(output.trim().split('\n')).toHaveLength(3000);
	});

	it('interrupts a command whose caller gives up', async () => {
		const abort = new AbortController();
		const started = Promise.withResolvers<void>();
		const sleeping = guestExec(files.execSocket, ['sh', '-c', 'echo started; sleep 1000'], {
			output: () => started.resolve(),
			signal: abort.signal,
		});
		sleeping.catch(started.reject);
		await started.promise;
		abort.abort(new Error('enough'));
		await expect(sleeping).rejects.toThrow('enough');
		expect(await exec('echo', 'next')).toEqual({ status: 0, output: 'next\n' });
	});

	it('has a console with a shell, left by Ctrl-]', async () => {
		const [input, output] = [new PassThrough(), new PassThrough()];
		const session = guestConsole(files.consoleSocket, { input, output }, AbortSignal.timeout(60_000));
		input.write('echo console=$((40 + 2))\r');
		for (let seen = ''; !seen.includes('console=42'); ) seen += String((await once(output, 'data'))[0]);
		input.write('\x1d');
		await session;
	});

	it('runs QEMU as the owner of the tap', () => {
		const [pid] = readFileSync(`/proc/${launcher.pid}/task/${launcher.pid}/children`, 'utf8').split(' ');
		expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t107\t107/m);
	});

	it('shuts the guest down when it is asked to end', async () => {
		launcher.kill('SIGTERM');
		expect(await ended).toEqual([0, null]);
		expect(readFileSync(files.consoleLog, 'utf8')).toContain('GUEST STOPS');
	});
});
