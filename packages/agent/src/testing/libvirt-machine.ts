import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vmmUser } from '@tapestry/host';
import { Namespace } from '@tapestry/linux';
import { testImage } from '../../../lab/src/guest/testing/test-image.ts';
import { timeStampCounterKhz } from '../../../lab/src/guest/time-stamp-counter.ts';
import { guestArguments, type MachineConfig } from '../../../lab/src/launcher/config.ts';
import { vmFiles } from '../../../lab/src/launcher/files.ts';
import { libvirt } from '../../../lab/src/launcher/libvirt/libvirt.ts';
import { machineOf } from '../../../lab/src/launcher/machine.ts';
import { consoleShows, processesOf } from '../../../lab/src/launcher/testing/launcher-under-test.ts';
import type { Port } from '../port.ts';

export interface LibvirtMachine extends AsyncDisposable {
	/** The pid of its QEMU as it is now. */
	qemu(): number;
	/** Has the same libvirt end the machine's QEMU. */
	destroy(): void;
	/** Has it start another one. */
	create(): void;
	/** Resolves when the console of this QEMU's guest has shown it. */
	shown(text: string): Promise<void>;
}

/** The lab's guest, run by a libvirt that outlives its QEMU, in a launcher's namespace. */
export async function startLibvirtMachine(namespacePath: string, { mac, mtu }: Port): Promise<LibvirtMachine> {
	await using cleanup = new AsyncDisposableStack();
	const directory = mkdtempSync(join(tmpdir(), 'libvirt-'));
	cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
	chmodSync(directory, 0o755);
	const files = vmFiles(directory);
	// What a launcher would say over them nobody says: QEMU and its guest go on without.
	await Promise.all([files.qmpSocket, files.commandsSocket].map((path) => listen(path, cleanup)));
	const image = await testImage();
	const metadata = { name: 'machine', namespace: 'default' };
	const machine = machineOf(
		{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', metadata, spec: { domain: { memory: { guest: '160Mi' } } } },
		{ cpus: 1, memoryMiB: 1024 },
	);
	const name = 'default_machine';
	const hypervisor = libvirt({ env: process.env });
	const config: MachineConfig = {
		...{ name, cpus: 1, memoryMiB: machine.memoryMiB, accelerator: 'tcg', image, files },
		kernelArguments: guestArguments(machine, await timeStampCounterKhz({ env: process.env }, image)),
		nic: { network: 'default', tap: 'tap0', mac, mtu, queues: 1 },
		...{ disks: [], shares: [], environment: { TAPESTRY_TEST: directory } },
	};
	using namespace = Namespace.open(namespacePath);
	let starting: ReturnType<typeof hypervisor.start> | undefined;
	namespace.run(() => {
		// It starts its daemon before it waits for anything, so that this one is in the namespace.
		starting = hypervisor.start(config, Promise.resolve(), AbortSignal.timeout(60_000));
	});
	if (starting) cleanup.use(await starting);
	const socket = encodeURIComponent(join(directory, 'libvirt-sock'));
	const virsh = (...argv: readonly string[]) =>
		spawnSync('virsh', ['--quiet', '--connect', `qemu+unix:///system?socket=${socket}`, ...argv], { encoding: 'utf8' });
	const all = cleanup.move();
	return {
		qemu: () => processesOf(directory, 'qemu-system-x86')[0] ?? 0,
		destroy: () => void virsh('destroy', name),
		create() {
			// libvirt may not have seen yet that its QEMU was killed.
			virsh('destroy', name);
			const { status, stderr } = virsh('create', join(directory, 'libvirt', 'domain.xml'));
			if (status !== 0) throw new Error(stderr);
		},
		shown: (text) => consoleShows(files, text, 1),
		[Symbol.asyncDispose]: () => all.disposeAsync(),
	};
}

async function listen(path: string, cleanup: AsyncDisposableStack): Promise<void> {
	const server = createServer((socket) => void socket.resume());
	const listening = Promise.withResolvers<void>();
	server.listen(path, listening.resolve);
	await listening.promise;
	chownSync(path, vmmUser, vmmUser);
	cleanup.defer(() => void server.close());
}
