import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@tapestry/lab';
import { createNamespace, deleteNamespace } from '@tapestry/linux';
import { killDaemons, startChassis } from '../../packages/agent/src/testing/chassis.ts';
import type { MiniNode } from '../../packages/agent/src/testing/mini-node.ts';

const deps = { env: process.env };

/** One more chassis at a node's southbound database. */
export interface Chassis extends AsyncDisposable {
	readonly name: string;
	readonly dir: string;
}

export async function addChassis(central: MiniNode, index: number): Promise<Chassis> {
	const name = `${central.name}-${index}`;
	const path = `/run/netns/${name}`;
	const dir = mkdtempSync(join(tmpdir(), `${name}-`));
	createNamespace(path);
	const cleanUp = (): void => {
		killDaemons(dir);
		deleteNamespace(path);
		rmSync(dir, { recursive: true, force: true });
	};
	try {
		await startChassis({ name, dir, path, central: central.dir, encapIp: `127.0.0.${index + 1}` });
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
