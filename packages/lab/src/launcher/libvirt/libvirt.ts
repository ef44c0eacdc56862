import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import { guestImage } from '../../guest/image.ts';
import { execute, type ProcessDeps } from '../../process.ts';
import type { MachineConfig, Nic } from '../config.ts';
import type { Hypervisor, RunningMachine } from '../hypervisor.ts';
import { domainXml } from './domain-xml.ts';

const script = fileURLToPath(new URL('./libvirtd.sh', import.meta.url));

/**
 * No security labels, control groups or device namespaces: the launcher's pod is the sandbox. Files are chosen by the launcher, so libvirt
 * does not change their owners.
 */
const driverSettings = {
	user: `"+${vmmUser}"`,
	group: `"+${vmmUser}"`,
	dynamic_ownership: '0',
	remember_owner: '0',
	security_driver: '"none"',
	cgroup_controllers: '[]',
	namespaces: '[]',
	stdio_handler: '"file"',
};

/** What is asked about a domain before it is defined. */
export interface DomainHooks {
	/** The machine's NIC in the domain that they are given. */
	readonly nic: Nic | undefined;
	readonly define: (xml: string) => Promise<string>;
}

/** Runs each machine by a libvirtd of its own, as KubeVirt's launcher does. */
export function libvirt(deps: ProcessDeps, hooks?: DomainHooks): Hypervisor {
	return { name: 'libvirt', start: (config, connected, signal) => start(deps, hooks, config, connected, signal) };
}

async function start(
	deps: ProcessDeps,
	hooks: DomainHooks | undefined,
	config: MachineConfig,
	connected: Promise<unknown>,
	signal: AbortSignal,
): Promise<RunningMachine> {
	await using started = new AsyncDisposableStack();
	const state = dirname(config.files.qmpSocket);
	const directory = join(state, 'libvirt');
	for (const name of ['etc', 'lib', 'log', 'run', 'guest', 'drivers']) mkdirSync(join(directory, name), { recursive: true });
	writeFileSync(join(directory, 'etc', 'qemu.conf'), settings(driverSettings));
	writeFileSync(
		join(directory, 'etc', 'libvirtd.conf'),
		settings({ unix_sock_dir: `"${state}"`, auth_unix_rw: '"none"', auth_unix_ro: '"none"', log_outputs: '"3:stderr"' }),
	);
	const domain = join(directory, 'domain.xml');
	const image = guestImage(join(directory, 'guest'));
	const xml = domainXml({ ...config, image, nic: hooks ? hooks.nic : config.nic });
	writeFileSync(domain, hooks ? await hooks.define(xml) : xml);
	const cache = join(config.image.directory, 'libvirt');
	mkdirSync(cache, { recursive: true });
	await startDaemon(deps, [directory, config.image.directory, cache, config.accelerator], { signal, started });
	const socket = encodeURIComponent(join(state, 'libvirt-sock'));
	const virsh = async (...argv: readonly string[]): Promise<void> => {
		const command = ['virsh', '--quiet', '--connect', `qemu+unix:///system?socket=${socket}`, ...argv];
		const { status, stderr } = await execute(deps, { argv: command });
		if (status !== 0) throw new CodedError('VM_LIBVIRT', { what: `libvirt could not ${argv[0]} the machine`, why: stderr.trim() });
	};
	const aborted = Promise.withResolvers<never>();
	const onAbort = (): void => aborted.reject(signal.reason);
	signal.addEventListener('abort', onAbort, { once: true });
	try {
		await Promise.race([virsh('create', domain).then(() => connected), aborted.promise]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
	const running = started.move();
	return {
		pressPowerButton: () => virsh('shutdown', config.name, '--mode', 'acpi'),
		switchOff: () => virsh('destroy', config.name),
		lastWords: () => '',
		[Symbol.asyncDispose]: () => running.disposeAsync(),
	};
}

/** With the process namespace all ends that libvirt has started, whatever becomes of the launcher. */
async function startDaemon(
	deps: ProcessDeps,
	argv: readonly string[],
	{ signal, started }: { readonly signal: AbortSignal; readonly started: AsyncDisposableStack },
): Promise<void> {
	const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
	const daemon = spawn('unshare', [...namespaces, 'sh', script, ...argv], {
		env: deps.env,
		stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
	});
	const ended = endOf(daemon);
	started.defer(async () => {
		endNamespace(daemon);
		await ended.catch(() => {});
	});
	ended.catch(() => {});
	await Promise.race([once(daemon.stdio[3] as NodeJS.ReadableStream, 'data', { signal }), ended]);
}

/**
 * Ends process 1 of the namespace: `unshare`, whose child it is, ends when nothing of the namespace is left. Were `unshare` killed, its end would say
 * nothing of what libvirt has started.
 */
function endNamespace(daemon: ChildProcess): void {
	const { pid } = daemon;
	if (pid === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
	try {
		const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
		process.kill(Number.parseInt(first, 10), 'SIGKILL');
	} catch {
		// There is none yet, or no more.
		daemon.kill('SIGKILL');
	}
}

async function endOf(daemon: ChildProcess): Promise<never> {
	const [status] = (await once(daemon, 'exit')) as [number | null];
	throw new CodedError('VM_LIBVIRT', {
		what: 'libvirtd ended',
		why: `with status ${status}`,
		fix: "see its message in the launcher's log",
	});
}

function settings(values: Readonly<Record<string, string>>): string {
	return Object.entries(values)
		.map(([key, value]) => `${key} = ${value}\n`)
		.join('');
}
