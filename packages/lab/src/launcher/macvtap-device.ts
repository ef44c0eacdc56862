import { closeSync, openSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ProcessDeps, run } from '../process.ts';

const script = fileURLToPath(new URL('./macvtap-device.sh', import.meta.url));

export interface OpenDevice extends Disposable {
	readonly fd: number;
}

/** Opens the character device of a macvtap of this process' network namespace; the VMM is handed the descriptor. `path` is used for a moment. */
export async function openMacvtap(deps: ProcessDeps, options: { readonly ifname: string; readonly path: string }): Promise<OpenDevice> {
	const { ifname, path } = options;
	await run(deps, ['unshare', '--mount', '--propagation', 'private', 'sh', script, ifname, path]);
	const fd = openSync(path, 'r+');
	rmSync(path, { force: true });
	return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
