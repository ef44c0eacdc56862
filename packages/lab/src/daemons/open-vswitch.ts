import { join } from 'node:path';
import { type ProcessDeps, run, startDaemon } from '../process.ts';
import { startOvsdbServer } from './ovsdb-server.ts';

export interface OpenVswitchOptions {
	/** Run directory of this node's OVS and OVN: db.sock, logs, control sockets. */
	readonly dir: string;
	/** Put before each daemon's command to enter the node's namespaces. @default [] */
	readonly enter?: readonly string[];
	/** Whether its userspace datapath can share memory with VMMs (mode vhost-user). @default false */
	readonly dpdk?: boolean;
	readonly signal?: AbortSignal;
}

export interface ChassisOptions extends OpenVswitchOptions {
	/** Chassis and host name. */
	readonly name: string;
	/** `unix:...` of the Southbound database as this node reaches it. */
	readonly southbound: string;
	readonly encapIp: string;
	/** The NIC that carries the tunnels; it becomes a port of br-phy. Absent: br-phy has no uplink (a single-node test). */
	readonly uplink?: string;
}

// The package openvswitch-switch-dpdk may point the alternative `ovs-vswitchd` at its own build, so name either by its file.
const vswitchd = '/usr/lib/openvswitch-switch/ovs-vswitchd';
const dpdkVswitchd = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk';

/**
 * DPDK on a machine that has others to serve (ovs-vswitchd.conf.db(5), Open_vSwitch other_config): ordinary memory instead of huge pages, 256 MB of it,
 * which is enough because each port has a pool for its own queues; no files that two switches of a machine would share; a poll thread that sleeps.
 */
const dpdkSettings = {
	'dpdk-init': 'true',
	'dpdk-extra': '--no-huge --legacy-mem --no-shconf --no-telemetry',
	'dpdk-alloc-mem': '256',
	'per-port-memory': 'true',
	'pmd-maxsleep': '100',
} as const;

/** Without these the tools and daemons look in the system's directories, which belong to the machine's own OVS. */
function openVswitchEnv(dir: string): Record<string, string> {
	return Object.fromEntries(
		['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR', 'OVN_RUNDIR', 'OVN_LOGDIR', 'OVN_DBDIR'].map((name) => [name, dir]),
	);
}

/** Starts a node's ovsdb-server and ovs-vswitchd. */
export async function startOpenVswitch(deps: ProcessDeps, options: OpenVswitchOptions): Promise<void> {
	const { dir, enter = [], signal } = options;
	await startOvsdbServer(deps, {
		name: 'db',
		dir,
		schema: '/usr/share/openvswitch/vswitch.ovsschema',
		enter,
		...(signal ? { signal } : {}),
	});
	await run(deps, ['ovs-vsctl', `--db=unix:${join(dir, 'db.sock')}`, '--no-wait', 'init']);
	if (options.dpdk) await configureDpdk(deps, { dir });
	await startVswitchd(deps, options);
}

/** Takes effect when ovs-vswitchd starts the next time. @param options.settings further `other_config` */
export async function configureDpdk(
	deps: ProcessDeps,
	{ dir, settings = {} }: { readonly dir: string; readonly settings?: Readonly<Record<string, string>> },
): Promise<void> {
	const all = Object.entries({ ...dpdkSettings, ...settings });
	const columns = all.map(([key, value]) => `other_config:${key}=${JSON.stringify(value)}`);
	await run(deps, ['ovs-vsctl', `--db=unix:${join(dir, 'db.sock')}`, '--no-wait', 'set', 'Open_vSwitch', '.', ...columns]);
}

export async function startVswitchd(deps: ProcessDeps, { dir, enter = [], dpdk = false, signal }: OpenVswitchOptions): Promise<void> {
	await startDaemon(deps, {
		name: 'ovs-vswitchd',
		argv: [
			...enter,
			dpdk ? dpdkVswitchd : vswitchd,
			`unix:${join(dir, 'db.sock')}`,
			`--unixctl=${join(dir, 'ovs-vswitchd.ctl')}`,
			...common(dir, 'ovs-vswitchd'),
		],
		env: openVswitchEnv(dir),
		logFile: join(dir, 'ovs-vswitchd.out'),
		readiness: 'exit',
		...(signal ? { signal } : {}),
	});
}

/** Makes the bridges and names this node as a chassis; resolves when vswitchd has applied it. */
export async function configureChassis(deps: ProcessDeps, options: ChassisOptions): Promise<void> {
	const { dir, name, southbound, encapIp, uplink } = options;
	const bridge = (bridgeName: string, failMode: string) => [
		...['--', '--may-exist', 'add-br', bridgeName],
		...['--', 'set', 'bridge', bridgeName, 'datapath_type=netdev', `fail-mode=${failMode}`],
	];
	await run(deps, [
		...['ovs-vsctl', `--db=unix:${join(dir, 'db.sock')}`, '--timeout=30'],
		...bridge('br-int', 'secure'),
		...bridge('br-phy', 'standalone'),
		...(uplink ? ['--', '--may-exist', 'add-port', 'br-phy', uplink] : []),
		...['--', 'set', 'Open_vSwitch', '.'],
		`external_ids:system-id=${name}`,
		`external_ids:hostname=${name}`,
		`external_ids:ovn-remote=${southbound}`,
		'external_ids:ovn-encap-type=geneve',
		`external_ids:ovn-encap-ip=${encapIp}`,
		'external_ids:ovn-bridge=br-int',
		// Else ovn-controller 23.03 may call the first port of a switch installed before that switch's flows have arrived.
		'external_ids:ovn-monitor-all=true',
	]);
}

export async function startOvnController(deps: ProcessDeps, { dir, enter = [], signal }: OpenVswitchOptions): Promise<void> {
	await startDaemon(deps, {
		name: 'ovn-controller',
		argv: [...enter, 'ovn-controller', `unix:${join(dir, 'db.sock')}`, ...common(dir, 'ovn-controller')],
		env: openVswitchEnv(dir),
		logFile: join(dir, 'ovn-controller.out'),
		readiness: 'exit',
		...(signal ? { signal } : {}),
	});
}

function common(dir: string, name: string): string[] {
	return [`--pidfile=${join(dir, `${name}.pid`)}`, `--log-file=${join(dir, `${name}.log`)}`, '-vconsole:off', '--no-chdir', '--detach'];
}
