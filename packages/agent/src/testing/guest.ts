import { testImage } from '../../../lab/src/guest/testing/test-image.ts';
import { type LauncherUnderTest, startLauncher } from '../../../lab/src/launcher/testing/launcher-under-test.ts';
import type { Sandbox } from './mini-node.ts';

/** The lab's guest, started by the lab's launcher in a sandbox that an agent has prepared: QEMU, and whatever the mode has the launcher do. */
export async function startGuest(
	sandbox: Pick<Sandbox, 'path' | 'run'>,
	options: { readonly queues: number; readonly nic?: object; readonly hostNetwork?: boolean },
): Promise<LauncherUnderTest> {
	const { queues, nic = {}, hostNetwork = false } = options;
	const enter = ['nsenter', `--net=${sandbox.path}`];
	const network = {
		enter,
		run: (...argv: readonly string[]) => sandbox.run(...argv).stdout,
		[Symbol.asyncDispose]: async () => {},
	};
	const spec = {
		domain: {
			cpu: { cores: queues },
			memory: { guest: '160Mi' },
			devices: { networkInterfaceMultiqueue: queues > 1, interfaces: [{ name: 'default', ...nic }] },
		},
		networks: [{ name: 'default', pod: {} }],
		terminationGracePeriodSeconds: 0,
	};
	return startLauncher(await testImage(), { spec, queues, network, hostNetwork });
}

/** In a guest's shell: says its addresses when it has these, which come each in its own time, or what it has after 20 s. */
export function untilAddresses(expected: readonly string[]): string {
	const complete = `*${expected.join('*')}*`;
	return `for i in $(seq 100); do said=$(/sbin/addresses); case "$said" in ${complete}) break;; esac; sleep 0.2; done; echo "$said"`;
}
