import { deviceName } from '../packages/agent/src/attach/attachment.ts';
import { tapName } from '../packages/agent/src/attach/waiting-tap.ts';
import { type AgentUnderTest, startAgent } from '../packages/agent/src/testing/agent-under-test.ts';
import { makeLogicalPort, makeNetwork, portOf } from '../packages/agent/src/testing/logical-network.ts';
import { type MiniNode, startMiniNode } from '../packages/agent/src/testing/mini-node.ts';
import { holdTap } from '../packages/linux/src/testing/index.ts';
import { type BenchOptions, type BenchResult, currentConditions, measurement } from './harness.ts';

const machines = 100;

/**
 * The lift: from the moment at which the VMM holds all queues of its tap until the machine's flows are installed, on real OVN and Open vSwitch. A process
 * that opens the tap as QEMU does stands for the VMM.
 */
export async function run(_options: BenchOptions): Promise<BenchResult> {
	const conditions = currentConditions();
	await using node = await startMiniNode('bench');
	makeNetwork(node);
	const agent = await startAgent(node);
	// The first port on a node makes ovn-controller compute everything: it is not like the others.
	await lift(node, agent, 0, 1);
	const samples: Record<1 | 4, number[]> = { 1: [], 4: [] };
	for (let index = 1; index <= machines; index++) {
		const queues = index % 2 === 0 ? 4 : 1;
		samples[queues].push(await lift(node, agent, index, queues));
	}
	await agent.abandon();
	const note = 'all queues open until ovn-installed, one at a time';
	return {
		name: 'lift',
		conditions,
		results: [measurement('lift, 1 queue', samples[1], { note }), measurement('lift, 4 queues', samples[4], { note })],
	};
}

async function lift(node: MiniNode, agent: AgentUnderTest, index: number, queues: number): Promise<number> {
	const name = `vm${index}`;
	const port = portOf(`${name}.default`, index + 10);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'machine', port, queues });
	const sandbox = node.sandbox(name);
	const machine = { containerId: name, sandbox };
	const device = deviceName('lift', { containerId: name, ifname: 'eth0' });
	const answer = await agent.call('ADD', machine);
	if (!answer.ok) throw new Error(answer.body);
	const installed = untilInstalled(agent, device);
	const vmm = await holdTap(sandbox.path, { name: tapName, queues });
	const done = await installed;
	await agent.call('DEL', machine);
	await vmm.kill();
	sandbox.remove();
	return Number(done - vmm.openedAt) / 1e6;
}

/** When the flows are there, as process.hrtime tells it. */
function untilInstalled(agent: AgentUnderTest, device: string): Promise<bigint> {
	return new Promise((resolve) => {
		const stop = agent.bridge.onChange(() => {
			if (!agent.bridge.port(device)?.installed) return;
			stop();
			resolve(process.hrtime.bigint());
		});
	});
}
