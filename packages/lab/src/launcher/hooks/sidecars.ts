import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, CodedError } from '@tapestry/base';
import { tapName } from '@tapestry/host';
import type { VirtualMachineInstance } from '@tapestry/network';
import type { ProcessDeps } from '../../process.ts';
import type { Nic } from '../config.ts';
import type { DomainHooks } from '../libvirt/libvirt.ts';
import type { MachineDisk } from '../volumes.ts';
import { cloudInitByHooks } from './cloud-init.ts';
import { collectHooks, type Hooks } from './hooks.ts';
import type { HookSidecar } from './requested.ts';

const packages = join(import.meta.dirname, '..', '..', '..', '..');

export interface SidecarOptions {
	/** Where each sidecar gets a directory of its own for its socket. */
	readonly directory: string;
	/** Marks the processes as the pod's. */
	readonly environment: Readonly<Record<string, string>>;
	readonly signal: AbortSignal;
	/** The NIC, for sidecars of binding plugins (`downwardAPI: device-info`). */
	readonly nic?: Pick<Nic, 'network' | 'mac' | 'mtu'> | undefined;
}

export interface RunningHooks extends AsyncDisposable {
	readonly hooks: Hooks;
}

/** Starts the sidecars in directories of their own, as containers with a `subPath` each, and asks them who they are. @throws VM_HOOK */
export async function startHookSidecars(
	deps: ProcessDeps & { readonly clock: Clock },
	sidecars: readonly HookSidecar[],
	options: SidecarOptions,
): Promise<RunningHooks> {
	await using started = new AsyncDisposableStack();
	const names = sidecars.map((_, index) => `hook-sidecar-${index}`);
	await Promise.all(sidecars.map((sidecar, index) => start(deps, sidecar, names[index] ?? '', options, started)));
	const sockets = names.flatMap((name) => {
		const path = join(options.directory, name);
		// The pod's directory is too deep for a socket's path; the descriptor's name is not.
		const fd = openSync(path, 'r');
		started.defer(() => closeSync(fd));
		return readdirSync(path).map((socket) => `/proc/self/fd/${fd}/${socket}`);
	});
	if (sockets.length !== sidecars.length) {
		throw new CodedError('VM_HOOK', { what: 'the hook sidecars cannot be used', why: `${sidecars.length} have ${sockets.length} sockets` });
	}
	const hooks = await collectHooks(deps.clock, sockets);
	const all = started.move();
	return { hooks, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** What a machine's hooks change, in the order of the calls. */
export interface MachineHooks {
	readonly cloudInit: (disks: readonly MachineDisk[]) => Promise<readonly MachineDisk[]>;
	readonly domain: DomainHooks;
}

/** Starts a machine's hooks; undefined for a machine without any. They end with the stack, told that the machine has. @throws VM_HOOK */
export async function startMachineHooks(
	deps: ProcessDeps & { readonly clock: Clock },
	sidecars: readonly HookSidecar[],
	instance: VirtualMachineInstance,
	options: SidecarOptions & { readonly nic: Nic | undefined; readonly stack: AsyncDisposableStack },
): Promise<MachineHooks | undefined> {
	if (sidecars.length === 0) return undefined;
	const { hooks } = options.stack.use(await startHookSidecars(deps, sidecars, options));
	options.stack.defer(() => hooks.shutdown());
	const vmi = JSON.stringify(instance);
	return {
		cloudInit: (disks) => cloudInitByHooks(hooks, disks, vmi),
		domain: {
			nic: nicBefore(sidecars, options.nic),
			// KubeVirt calls them up to three times for one start: a hook that appends is found out.
			define: async (xml) => hooks.onDefineDomain(await hooks.onDefineDomain(xml, vmi), vmi),
		},
	};
}

/** KubeVirt makes no interface for a binding plugin that has a sidecar; others it knows by the tap of the launcher's own namespace. */
function nicBefore(sidecars: readonly HookSidecar[], nic: Nic | undefined): Nic | undefined {
	const byPlugin = sidecars.some(({ binding }) => binding !== undefined);
	return byPlugin || nic === undefined ? undefined : { ...nic, tap: tapName(nic.network, true) };
}

async function start(
	deps: ProcessDeps,
	{ program, args, binding }: HookSidecar,
	name: string,
	{ directory, environment, signal, nic }: SidecarOptions,
	started: AsyncDisposableStack,
): Promise<void> {
	const own = join(directory, name);
	mkdirSync(own, { recursive: true });
	const info = `${name}-network-info`;
	if (binding !== undefined) writeFileSync(join(directory, info), JSON.stringify({ interfaces: nic ? [infoOf(nic)] : [] }));
	const registered = binding === undefined ? [] : [`--network-info=../${info}`];
	const argv = ['--disable-warning=ExperimentalWarning', join(packages, program), '--sockets=.', ...registered, ...args, '--ready-fd=3'];
	const child = spawn(process.execPath, argv, {
		cwd: own,
		env: {
			...{ ...deps.env, ...environment, CONTAINER_NAME: name },
			...(binding === undefined ? {} : { NETWORK_BINDING_PLUGIN_NAME: binding }),
		},
		stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
	});
	const ended = once(child, 'exit');
	started.defer(async () => {
		child.kill('SIGKILL');
		await ended;
	});
	const early = ended.then(([status]) => {
		throw new CodedError('VM_HOOK', {
			what: `${name} ended before it served`,
			why: `with status ${status}`,
			fix: "see the launcher's log",
		});
	});
	early.catch(() => {});
	await Promise.race([once(child.stdio[3] as NodeJS.ReadableStream, 'data', { signal }), early]);
}

/** What the pod says of its NIC. */
function infoOf({ network, mac, mtu }: Pick<Nic, 'network' | 'mac' | 'mtu'>): object {
	return { network, mac, mtu };
}
