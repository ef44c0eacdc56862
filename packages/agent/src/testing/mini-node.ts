import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { startCentral, startOvnController, startVswitchd } from '@tapestry/lab';
import { createNamespace, deleteNamespace, Namespace, openRoute, setLink } from '@tapestry/linux';
import { connect, type Session } from '@tapestry/ovsdb';
import type { HostSide } from '../attach/host-side.ts';
import { kill, killAndWait, killDaemons, startChassis } from './chassis.ts';

/** A node with real OVN and Open vSwitch (userspace datapath) in a namespace of its own, and the logical network that tests put on it. */
export interface MiniNode extends AsyncDisposable {
	readonly name: string;
	readonly dir: string;
	/** A directory in memory, as a node's /run is. */
	readonly run: string;
	readonly host: HostSide;
	/** A session of its own with the node's Open vSwitch. The caller closes it. */
	connect(): Session;
	/** Kills one of the node's daemons and starts it again. */
	restart(daemon: 'ovs-vswitchd' | 'ovn-controller', options?: { readonly dpdk: boolean }): Promise<void>;
	nbctl(...args: readonly string[]): string;
	/**
	 * Returns when the switch has taken up its configuration and flows as they are, and its datapath has too. A command that waits for the node's flows
	 * (`--wait=hv`) returns before: packets like those that passed or were dropped lately may still go by what the datapath keeps.
	 */
	revalidate(): void;
	/** Takes all flows out of the datapath: packets make new ones, by what is in force. */
	purge(): void;
	vsctl(...args: readonly string[]): string;
	/** A sandbox like a runtime makes it. */
	sandbox(label: string): Sandbox;
}

export interface Sandbox {
	readonly name: string;
	readonly path: string;
	/** Runs a command in it; the status tells, nothing throws. */
	run(...command: readonly string[]): SpawnSyncReturns<string>;
	remove(): void;
}

const deps = { env: process.env };

/** The command that runs a program of ours. */
export const nodeProgram = (file: string): readonly string[] => [process.execPath, '--disable-warning=ExperimentalWarning', file];

/** A session with the Open vSwitch of the node that keeps its files in `dir`. */
export function connectTo(dir: string): Session {
	return connect(
		{ clock: systemClock, random: Math.random, log: silentLogger },
		{ endpoint: `unix:${join(dir, 'db.sock')}`, backoff: { initial: 20, max: 200 } },
	);
}

/** Runs a command in a namespace. */
export function runIn(path: string, command: readonly string[]): SpawnSyncReturns<string> {
	return spawnSync('nsenter', [`--net=${path}`, ...command], { encoding: 'utf8', timeout: 20_000 });
}

/** Kills what runs in network namespaces: a test that failed may have left it there. */
function killAllIn(paths: readonly string[]): void {
	const inodes = new Set(paths.map((path) => statSync(path).ino));
	for (const pid of readdirSync('/proc').map(Number)) {
		if (!(pid > 0) || pid === process.pid) continue;
		try {
			if (inodes.has(statSync(`/proc/${pid}/ns/net`).ino)) kill(pid);
		} catch {
			// It has ended meanwhile, or is none of ours.
		}
	}
}

export async function startMiniNode(label: string): Promise<MiniNode> {
	const name = `tpa-${label}-${randomBytes(3).toString('hex')}`;
	const path = `/run/netns/${name}`;
	const dir = mkdtempSync(join(tmpdir(), `${name}-`));
	const runDir = mkdtempSync(`/dev/shm/${name}-`);
	const sandboxes = new Set<Sandbox>();
	createNamespace(path);
	const namespace = Namespace.open(path);
	const route = openRoute(namespace);
	setLink(route, 'lo', { up: true });
	const cleanUp = (): void => {
		killAllIn([path, ...[...sandboxes].map((sandbox) => sandbox.path)]);
		for (const sandbox of sandboxes) sandbox.remove();
		killDaemons(dir);
		route[Symbol.dispose]();
		namespace[Symbol.dispose]();
		deleteNamespace(path);
		for (const path of [dir, runDir]) rmSync(path, { recursive: true, force: true });
	};
	try {
		await startCentral(deps, { dir });
		await startChassis({ name, dir, path, central: dir, encapIp: '127.0.0.1' });
	} catch (error) {
		cleanUp();
		throw error;
	}
	return {
		name,
		dir,
		run: runDir,
		host: { namespace, route },
		connect: () => connectTo(dir),
		async restart(daemon, options) {
			await killAndWait(Number(readFileSync(join(dir, `${daemon}.pid`), 'utf8')));
			const again = { dir, enter: ['nsenter', `--net=${path}`] };
			await (daemon === 'ovs-vswitchd' ? startVswitchd(deps, { ...again, ...options }) : startOvnController(deps, again));
		},
		nbctl: (...args) => execFileSync('ovn-nbctl', [`--db=unix:${join(dir, 'nb.sock')}`, '--timeout=20', ...args], { encoding: 'utf8' }),
		revalidate() {
			// Between its rounds the switch rests half a second, which is long for whoever waits for them often.
			execFileSync('ovs-vsctl', [`--db=unix:${join(dir, 'db.sock')}`, 'set', 'Open_vSwitch', '.', 'other_config:max-revalidator=100']);
			// The first may be the end of a round that began before; when that is told, rounds know of what is new, but one may be under way that does not.
			for (let rounds = 0; rounds < 3; rounds++)
				execFileSync('ovs-appctl', [`--target=${join(dir, 'ovs-vswitchd.ctl')}`, '--timeout=20', 'revalidator/wait']);
		},
		purge: () => void execFileSync('ovs-appctl', [`--target=${join(dir, 'ovs-vswitchd.ctl')}`, '--timeout=20', 'revalidator/purge']),
		vsctl: (...args) => execFileSync('ovs-vsctl', [`--db=unix:${join(dir, 'db.sock')}`, '--timeout=20', ...args], { encoding: 'utf8' }),
		sandbox(podLabel) {
			const sandboxName = `${name}-${podLabel}`;
			const sandboxPath = `/run/netns/${sandboxName}`;
			createNamespace(sandboxPath);
			const sandbox: Sandbox = {
				name: sandboxName,
				path: sandboxPath,
				run: (...command) => runIn(sandboxPath, command),
				remove() {
					deleteNamespace(sandboxPath);
					sandboxes.delete(sandbox);
				},
			};
			sandboxes.add(sandbox);
			return sandbox;
		},
		async [Symbol.asyncDispose]() {
			cleanUp();
		},
	};
}
