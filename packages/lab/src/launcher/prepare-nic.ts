import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@tapestry/base';
import type { ProcessDeps } from '../process.ts';
import { serveAddresses } from './addresses/serve-addresses.ts';
import type { Nic } from './config.ts';
import { openMacvtap } from './macvtap-device.ts';
import { startPasst } from './passt.ts';
import { interfaceName, type PodNic } from './pod-nic.ts';

export interface PrepareNicOptions {
	readonly directory: string;
	readonly environment: Readonly<Record<string, string>>;
	readonly emulated: boolean;
	readonly signal: AbortSignal;
	/** Disposed when the machine has ended. */
	readonly stack: AsyncDisposableStack;
}

/** Does the launcher's part of a NIC's mode: starts whom the guest or the VMM asks, opens what it cannot. @throws VM_ADDRESSES, VM_PASST */
export async function prepareNic(deps: ProcessDeps & { readonly log: Logger }, pod: PodNic, options: PrepareNicOptions): Promise<Nic> {
	const { directory, environment, emulated, signal, stack } = options;
	const { nic, mode, addresses } = pod;
	const { mtu, forward = [] } = nic;
	if (nic.addresses) {
		stack.use(await serveAddresses(deps, nic.addresses, { directory: join(directory, 'addresses'), environment, signal }));
	}
	if (mode === 'macvtap') {
		const { fd } = stack.use(await openMacvtap(deps, { ifname: nic.tap, path: join(directory, 'macvtap') }));
		return { ...nic, queues: 1, backend: { kind: 'descriptor', fd } };
	}
	if (mode === 'passt') {
		const socket = join(directory, 'passt', 'socket');
		stack.use(await startPasst(deps, { socket, ifname: interfaceName, mtu, forward, environment, signal }));
		return { ...nic, queues: 1, backend: { kind: 'stream', socket } };
	}
	if (mode === 'slirp') {
		const listen = addresses.find((address) => !address.includes(':')) ?? '';
		return { ...nic, queues: 1, backend: { kind: 'user', listen, forward } };
	}
	if (mode === 'vhost-user' && pod.socket !== undefined) {
		// One that an earlier VMM has left.
		rmSync(pod.socket, { force: true });
		return { ...nic, backend: { kind: 'vhost-user', socket: pod.socket } };
	}
	// Without KVM QEMU has no way to be woken by the kernel's part of it.
	const vhost = !emulated && existsSync('/dev/vhost-net');
	deps.log.info('the tap is served', { by: vhost ? 'vhost-net' : 'QEMU', vhostNet: existsSync('/dev/vhost-net') });
	return { ...nic, vhost };
}
