import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VirtualMachineInstance } from '@tapestry/network';
import type { GuestImage } from '../../guest/image.ts';
import { type VmFiles, vmFiles } from '../files.ts';
import { guestExec } from '../guest-exec.ts';
import { createVmNetwork, type VmNetwork } from './vm-network.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

const guestAddresses = { mac: '00:00:00:5e:00:53', address: '10.9.8.7', gateway: '10.9.8.1', mtu: 1300 };

export interface LauncherUnderTest extends AsyncDisposable {
	/** The launcher's state. */
	readonly directory: string;
	readonly files: VmFiles;
	readonly network: VmNetwork;
	readonly process: ChildProcess;
	/** Resolves when the machine runs; rejects when the launcher ends before. */
	readonly running: Promise<unknown>;
	/** Resolves with status and signal. */
	readonly ended: Promise<unknown[]>;
	/** The instance, as the launcher has left it in the API. */
	readonly instance: () => VirtualMachineInstance;
	/** Runs a program in the guest. */
	exec(...argv: readonly string[]): Promise<{ readonly status: number; readonly output: string }>;
	/** Resolves when the guest's console has shown this so often. */
	shown(text: string, times?: number): Promise<void>;
	/** The pid of the machine's QEMU. */
	qemu(): number;
}

/** Starts a launcher as the kubelet does, in a pod's namespace that has its tap, with an API that knows only its instance. */
export async function startLauncher(
	image: GuestImage,
	options: {
		readonly spec: object;
		readonly annotations?: Readonly<Record<string, string>>;
		readonly queues?: number;
		/** The pod's namespace when somebody else has made it. */
		readonly network?: VmNetwork;
		/** Whether that is the node's own. */
		readonly hostNetwork?: boolean;
	},
): Promise<LauncherUnderTest> {
	await using cleanup = new AsyncDisposableStack();
	const directory = mkdtempSync(join(tmpdir(), 'launcher-'));
	cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
	// The VMM's user has to get to its sockets, as in the kubelet's directories.
	chmodSync(directory, 0o755);
	const files = vmFiles(directory);
	const multiQueue = (options.queues ?? 1) > 1;
	const name = `tpt-vm-${randomBytes(3).toString('hex')}`;
	const network = options.network ?? cleanup.use(await createVmNetwork(name, join(directory, 'dhcp'), { ...guestAddresses, multiQueue }));
	let instance = {
		apiVersion: 'kubevirt.io/v1',
		kind: 'VirtualMachineInstance',
		metadata: { name: 'vm1', namespace: 'default', uid: 'u1', annotations: options.annotations ?? {} },
		spec: options.spec,
	} as VirtualMachineInstance;
	const api = createServer(async (request, response) => {
		if (request.method === 'PUT') instance = JSON.parse((await request.toArray()).join('')) as VirtualMachineInstance;
		response.end(JSON.stringify(instance));
	});
	cleanup.defer(() => void api.close());
	const [apiSocket, kubeconfig] = [join(directory, 'api.sock'), join(directory, 'kubeconfig')];
	api.listen(apiSocket);
	const named = { clusters: [{ name: 'c', cluster: { server: 'http://api' } }], contexts: [{ name: 'c', context: { cluster: 'c' } }] };
	writeFileSync(kubeconfig, JSON.stringify({ ...named, 'current-context': 'c' }));
	const flags = [
		`--kubeconfig=${kubeconfig}`,
		`--api-socket=${apiSocket}`,
		`--guest=${image.directory}`,
		`--state=${directory}`,
		...(options.hostNetwork ? ['--host-network'] : []),
	];
	const [enter = '', ...argv] = [
		...network.enter,
		process.execPath,
		main,
		...flags,
		'--vmi=vm1',
		'--pod=virt-launcher-vm1',
		'--ready-fd=3',
	];
	const env = { ...process.env, TAPESTRY_TEST: directory };
	const launcher = spawn(enter, argv, { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'], detached: true });
	const ended = once(launcher, 'exit');
	cleanup.defer(async () => {
		// As the kubelet does: the group, should the launcher have died.
		spawnSync('kill', ['-KILL', '--', `-${launcher.pid}`]);
		await ended;
	});
	const early = ended.then(([status]) => Promise.reject(new Error(`the launcher ended early with ${status}`)));
	const running = Promise.race([once(launcher.stdio[3] as NodeJS.ReadableStream, 'data'), early]);
	running.catch(() => {});
	const all = cleanup.move();
	return {
		directory,
		files,
		network,
		process: launcher,
		running,
		ended,
		instance: () => instance,
		async exec(...command) {
			const chunks: Uint8Array[] = [];
			const signal = AbortSignal.timeout(90_000);
			const status = await guestExec(files.execSocket, command, { output: (chunk) => chunks.push(chunk), signal });
			return { status, output: Buffer.concat(chunks).toString() };
		},
		shown: (text, times = 1) => consoleShows(files, text, times),
		qemu() {
			const [pid] = processesOf(directory, 'qemu-system-x86');
			// kill(2) takes 0 for our own group.
			if (pid === undefined) throw new Error('no QEMU runs');
			return pid;
		},
		[Symbol.asyncDispose]: () => all.disposeAsync(),
	};
}

/** The processes of this name that a launcher has started, by the mark in their environment. @param name as in /proc/PID/comm: 15 characters */
export function processesOf(directory: string, name: string): readonly number[] {
	return readdirSync('/proc')
		.filter((pid) => /^\d+$/.test(pid) && readOf(pid, 'comm') === `${name}\n`)
		.filter((pid) => readOf(pid, 'environ').includes(`TAPESTRY_TEST=${directory}\0`))
		.map(Number);
}

/** Empty for a process that has ended meanwhile. */
function readOf(pid: string, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8');
	} catch {
		return '';
	}
}

/** In milliseconds: less than a test's limit, which would not say what the guest did instead. */
const patience = 100_000;

/** Resolves when a guest's console has shown this so often. */
export async function consoleShows(files: Pick<VmFiles, 'consoleLog'>, text: string, times: number): Promise<void> {
	// A test that waits in vain is killed; this is to end with it.
	const tail = spawn('tail', ['-c', '+1', `--pid=${process.pid}`, '-F', files.consoleLog], { stdio: ['ignore', 'pipe', 'ignore'] });
	const timer = setTimeout(() => tail.kill(), patience);
	try {
		let seen = '';
		for await (const chunk of tail.stdout.setEncoding('utf8') as AsyncIterable<string>) {
			seen += chunk;
			if (seen.split(text).length > times) return;
		}
		throw new Error(`the guest's console does not show ${JSON.stringify(text)}, but ends with\n${seen.slice(-3000)}`);
	} finally {
		clearTimeout(timer);
		tail.kill();
	}
}
