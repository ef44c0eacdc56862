import { setImmediate } from 'node:timers/promises';
import { deviceName } from '../packages/agent/src/attach/attachment.ts';
import { tapName } from '../packages/agent/src/attach/waiting-tap.ts';
import { type AgentUnderTest, startAgent } from '../packages/agent/src/testing/agent-under-test.ts';
import { makeLogicalPort, makeNetwork, portOf } from '../packages/agent/src/testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../packages/agent/src/testing/mini-node.ts';
import { holdTap, type Wire } from '../packages/linux/src/testing/index.ts';
import { type BenchOptions, type BenchResult, currentConditions, measurement } from './harness.ts';

const sequential = 100;
const parallel = 20;
const stepNames: Readonly<Record<string, string>> = {
	'lift-holder': 'who holds the tap',
	'lift-move': "move into the node's namespace (the kernel waits for RCU)",
	'lift-ovs': 'OVS port; IPv6 and ARP off, drop for the stack, up',
	'lift-flows': 'until ovn-installed',
};

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
	await liftOne(node, agent, 0, 1);
	agent.steps.length = 0;
	const samples: Record<1 | 4, number[]> = { 1: [], 4: [] };
	for (let index = 1; index <= sequential; index++) {
		const queues = index % 2 === 0 ? 4 : 1;
		samples[queues].push(await liftOne(node, agent, index, queues));
	}
	const steps = [...agent.steps];
	const together = await liftTogether(node, agent);
	await agent.abandon();
	const note = 'all queues open until ovn-installed, one at a time';
	return {
		name: 'lift',
		conditions,
		results: [
			measurement('lift, 1 queue', samples[1], { note }),
			measurement('lift, 4 queues', samples[4], { note }),
			...Object.entries(stepNames).map(([step, name]) => measurement(`lift: ${name}`, samplesOf(steps, step))),
			measurement(`lift, ${parallel} at once`, together, { note: 'VMMs start at once and share the processors' }),
		],
	};
}

interface Machine {
	readonly containerId: string;
	readonly sandbox: Sandbox;
	readonly queues: number;
	readonly device: string;
}

async function liftOne(node: MiniNode, agent: AgentUnderTest, index: number, queues: number): Promise<number> {
	const machine = await attach(node, agent, index, queues);
	const [latency, vmm] = await lift(agent, machine);
	await detach(agent, machine, vmm);
	return latency;
}

async function liftTogether(node: MiniNode, agent: AgentUnderTest): Promise<number[]> {
	const machines: Machine[] = [];
	for (let index = 0; index < parallel; index++) machines.push(await attach(node, agent, sequential + 1 + index, index % 2 === 0 ? 4 : 1));
	const lifted = await Promise.all(machines.map((machine) => lift(agent, machine)));
	for (const [index, machine] of machines.entries()) await detach(agent, machine, lifted[index]?.[1]);
	return lifted.map(([latency]) => latency);
}

async function attach(node: MiniNode, agent: AgentUnderTest, index: number, queues: number): Promise<Machine> {
	const name = `vm${index}`;
	const port = portOf(`${name}.default`, index + 10);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'machine', port, queues });
	const device = deviceName('lift', { containerId: name, ifname: 'eth0' });
	const machine = { containerId: name, sandbox: node.sandbox(name), queues, device };
	const answer = await agent.call('ADD', machine);
	if (!answer.ok) throw new Error(answer.body);
	return machine;
}

/** Milliseconds, and who holds the tap. */
async function lift(agent: AgentUnderTest, { sandbox, queues, device }: Machine): Promise<readonly [number, Wire]> {
	const installed = agent.installed(device).then(() => process.hrtime.bigint());
	const vmm = await holdTap(sandbox.path, { name: tapName, queues });
	return [Number((await installed) - vmm.openedAt) / 1e6, vmm];
}

async function detach(agent: AgentUnderTest, machine: Machine, vmm: Wire | undefined): Promise<void> {
	// The agent learns of the flows by the same event as this program, and measures until then.
	await setImmediate();
	await agent.call('DEL', machine);
	await vmm?.kill();
	machine.sandbox.remove();
}

function samplesOf(steps: AgentUnderTest['steps'], wanted: string): number[] {
	return steps.filter(({ step }) => step === wanted).map(({ seconds }) => seconds * 1000);
}
