import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configureChassis, run, startOpenVswitch, startOvnController } from '@tapestry/lab';

const deps = { env: process.env };

/** Open vSwitch and ovn-controller in a namespace. @param chassis `dir` and `central`: where its files and those of OVN's databases are */
export async function startChassis(chassis: {
	readonly name: string;
	readonly dir: string;
	readonly path: string;
	readonly central: string;
	readonly encapIp: string;
}): Promise<void> {
	const { name, dir, central, encapIp } = chassis;
	const enter = ['nsenter', `--net=${chassis.path}`];
	await startOpenVswitch(deps, { dir, enter });
	await configureChassis(deps, { dir, name, southbound: `unix:${join(central, 'sb.sock')}`, encapIp, enter });
	// With conditional monitoring ovn-controller 23.03 says ovn-installed before it has fetched the logical flows of a switch that is new on the node.
	await run(deps, ['ovs-vsctl', `--db=unix:${join(dir, 'db.sock')}`, 'set', 'Open_vSwitch', '.', 'external_ids:ovn-monitor-all=true']);
	await startOvnController(deps, { dir, enter });
}

/** Kills the daemons that keep their files in a directory. */
export function killDaemons(dir: string): void {
	for (const file of readdirSync(dir).filter((entry) => entry.endsWith('.pid'))) kill(Number(readFileSync(join(dir, file), 'utf8')));
}

/** Kills a process that is nobody's child here. Resolves when it has ended: until then a daemon holds the lock of its pidfile. */
export async function killAndWait(pid: number): Promise<void> {
	kill(pid);
	await run(deps, ['tail', `--pid=${pid}`, '--sleep-interval=0.01', '--follow', '/dev/null']);
}

export function kill(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It had ended already.
	}
}
