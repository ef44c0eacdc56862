import { configureDpdk } from '@tapestry/lab';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import type { MiniNode } from './mini-node.ts';

/**
 * Starts the node's switch anew, with DPDK. Resolves when the agent's copy of the switch's database says so.
 * @param settings `other_config` beside the lab's own
 */
export async function startDpdk(node: MiniNode, bridge: IntegrationBridge, settings: Readonly<Record<string, string>> = {}): Promise<void> {
	const seen = new Promise<void>((resolve) => {
		const stop = bridge.onChange(() => {
			if (!bridge.dpdk.initialized) return;
			stop();
			resolve();
		});
	});
	await configureDpdk({ env: process.env }, { dir: node.dir, settings });
	await node.restart('ovs-vswitchd', { dpdk: true });
	await seen;
}
