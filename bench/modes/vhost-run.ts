import type { AttachmentModeName } from '@tapestry/network';
import { isVmm } from '../../packages/agent/src/attach/vmm.ts';
import { type AgentUnderTest, startAgent } from '../../packages/agent/src/testing/agent-under-test.ts';
import { startDpdk } from '../../packages/agent/src/testing/dpdk.ts';
import { startGuest } from '../../packages/agent/src/testing/guest.ts';
import { giveAddresses, makeLogicalPort, makeNetwork, portOf } from '../../packages/agent/src/testing/logical-network.ts';
import { type MiniNode, startMiniNode } from '../../packages/agent/src/testing/mini-node.ts';
import type { LauncherUnderTest } from '../../packages/lab/src/launcher/testing/launcher-under-test.ts';
import { guestServers, ports } from './echo.ts';
import { startProber } from './prober.ts';
import { measureRounds, type RoundOptions, type Target } from './rounds.ts';
import type { Comparison } from './series.ts';

/** Both guests are on the same switch: its poll thread takes a core from either. */
const modes: readonly AttachmentModeName[] = ['lift', 'vhost-user'];

/**
 * vhost-user beside a lifted tap, on an Open vSwitch with DPDK. A run of its own: the switch's poll thread keeps a core busy, which would disturb all
 * others.
 */
export async function vhostRun(options: RoundOptions): Promise<Comparison> {
	await using cleanup = new AsyncDisposableStack();
	const node = cleanup.use(await startMiniNode('bench'));
	makeNetwork(node);
	const agent = await startAgent(node, { isVmm });
	cleanup.defer(() => agent.abandon());
	await startDpdk(node, agent.bridge);
	const client = portOf('client.default', 5);
	makeLogicalPort(node, client);
	agent.workloads.set({ namespace: 'default', name: 'client' }, { kind: 'pod', port: client });
	const sandbox = node.sandbox('client');
	await add(agent, 'client', sandbox);
	const prober = cleanup.use(startProber(['nsenter', `--net=${sandbox.path}`]));
	const targets: Target[] = [];
	for (const [index, mode] of modes.entries()) {
		const { address } = await boot(node, agent, { mode, host: 16 + index, cleanup });
		targets.push({ subject: mode, prober, address, tcp: ports.tcp, udp: { port: ports.udp, sourcePort: ports.client }, sink: ports.sink });
	}
	return {
		name: 'vhost-user',
		title: 'vhost-user',
		note: 'From a pod to a QEMU guest on an Open vSwitch with DPDK; the pod’s end is a veth, so no path lies wholly in the poll thread.',
		baseline: 'lift',
		subjects: modes.map((name) => ({ name })),
		series: await measureRounds(targets, options),
	};
}

async function boot(
	node: MiniNode,
	agent: AgentUnderTest,
	options: { readonly mode: AttachmentModeName; readonly host: number; readonly cleanup: AsyncDisposableStack },
): Promise<{ readonly guest: LauncherUnderTest; readonly address: string }> {
	const { mode, host, cleanup } = options;
	const port = portOf(`${mode}.default`, host);
	makeLogicalPort(node, port);
	giveAddresses(node, port);
	const sandbox = node.sandbox(mode);
	agent.workloads.set({ namespace: 'default', name: mode }, { kind: 'machine', port, queues: 1, mode });
	await add(agent, mode, sandbox);
	const guest = cleanup.use(await startGuest(sandbox, { queues: 1 }));
	await guest.running;
	await guest.shown('GUEST READY');
	await guest.exec('sh', '-c', guestServers);
	return { guest, address: port.addresses[0]?.address.split('/')[0] ?? '' };
}

async function add(agent: AgentUnderTest, containerId: string, sandbox: ReturnType<MiniNode['sandbox']>): Promise<void> {
	const answer = await agent.call('ADD', { containerId, sandbox });
	if (!answer.ok) throw new Error(`ADD of ${containerId}: ${answer.body}`);
}
