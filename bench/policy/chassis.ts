import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configureChassis, run, startOpenVswitch, startOvnController } from '@tapestry/lab';
import { createNamespace, deleteNamespace } from '@tapestry/linux';
import type { MiniNode } from '../../packages/agent/src/testing/mini-node.ts';

const deps = { env: process.env };

/** One more chassis at a node's southbound database. */
export interface Chassis extends AsyncDisposable {
	readonly name: string;
	readonly dir: string;
}

export async function startChassis(central: MiniNode, index: number): Promise<Chassis> {
	const name = `${central.name}-${index}`;
	const path = `/run/netns/${name}`;
	const dir = mkdtempSync(join(tmpdir(), `${name}-`));
	createNamespace(path);
	const cleanUp = (): void => {
		for (const file of readdirSync(dir).filter((entry) => entry.endsWith('.pid'))) {
			try {
				process.kill(Number(readFileSync(join(dir, file), 'utf8')), 'SIGKILL');
			} catch {
				// It has ended already.
			}
		}
		deleteNamespace(path);
		rmSync(dir, { recursive: true, force: true });
	};
	try {
		const enter = ['nsenter', `--net=${path}`];
		await startOpenVswitch(deps, { dir, enter });
		await configureChassis(deps, { dir, name, southbound: `unix:${join(central.dir, 'sb.sock')}`, encapIp: `127.0.0.${index + 1}`, enter });
		await run(deps, ['ovs-vsctl', `--db=unix:${join(dir, 'db.sock')}`, 'set', 'Open_vSwitch', '.', 'external_ids:ovn-monitor-all=true']);
		await startOvnController(deps, { dir, enter });
	} catch (error) {
		cleanUp();
		throw error;
	}
	return {
		name,
		dir,
		async [Symbol.asyncDispose]() {
			cleanUp();
		},
	};
}

/** Ports of the bridge that ovn-controller binds: internal devices of Open vSwitch. */
export async function bindPorts(
	dir: string,
	ports: readonly { readonly device: string; readonly name: string; readonly uid: string }[],
): Promise<void> {
	const commands = ports.flatMap(({ device, name, uid }) => [
		...['--', 'add-port', 'br-int', device],
		...['--', 'set', 'Interface', device, 'type=internal', `external_ids:iface-id=${name}`, `external_ids:iface-id-ver=${uid}`],
	]);
	await run(deps, ['ovs-vsctl', `--db=unix:${join(dir, 'db.sock')}`, '--timeout=60', ...commands]);
}
