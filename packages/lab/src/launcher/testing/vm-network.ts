import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNamespace, createTap, deleteNamespace, Namespace } from '@tapestry/linux';

export interface VmNetwork extends AsyncDisposable {
	/** Put before a command, runs it in the namespace. */
	readonly enter: readonly string[];
	run(...argv: readonly string[]): string;
}

/**
 * A pod's namespace as the agent leaves it for a virtual machine: `eth0` that only holds the address, and a tap. The namespace itself plays
 * the network: it is the gateway on the tap and answers DHCP there.
 */
export async function createVmNetwork(
	name: string,
	directory: string,
	options: { readonly mac: string; readonly address: string; readonly gateway: string; readonly mtu: number; readonly multiQueue: boolean },
): Promise<VmNetwork> {
	const { mac, address, gateway, mtu, multiQueue } = options;
	const path = `/run/netns/${name}`;
	createNamespace(path);
	await using made = new AsyncDisposableStack();
	made.defer(() => deleteNamespace(path));
	const enter = ['nsenter', `--net=${path}`];
	const run = (...argv: readonly string[]): string => execFileSync('nsenter', [`--net=${path}`, ...argv], { encoding: 'utf8' });
	{
		using namespace = Namespace.open(path);
		createTap(namespace, { name: 'tap0', uid: 107, gid: 107, multiQueue });
	}
	run('ip', 'link', 'set', 'lo', 'up');
	run('ip', 'link', 'add', 'eth0', 'address', mac, 'mtu', String(mtu), 'type', 'bridge');
	run('ip', 'address', 'add', `${gateway}/24`, 'dev', 'tap0');
	run('ip', 'link', 'set', 'tap0', 'mtu', String(mtu), 'up');
	mkdirSync(directory, { recursive: true });
	const leases = join(directory, 'leases');
	writeFileSync(leases, '');
	const lines = [
		'interface tap0',
		`start ${address}`,
		`end ${address}`,
		`lease_file ${leases}`,
		`pidfile ${join(directory, 'udhcpd.pid')}`,
	];
	lines.push('opt subnet 255.255.255.0', `opt router ${gateway}`, `opt mtu ${mtu}`, `opt dns ${gateway}`, 'opt lease 600');
	const configuration = join(directory, 'udhcpd.conf');
	writeFileSync(configuration, `${lines.join('\n')}\n`);
	const server = spawn('nsenter', [`--net=${path}`, 'busybox', 'udhcpd', '-f', configuration], {
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	const ended = once(server, 'exit');
	made.defer(async () => {
		server.kill('SIGKILL');
		await ended;
	});
	const all = made.move();
	return { enter, run, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
