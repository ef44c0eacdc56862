import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { serveCni } from '../packages/agent/src/cni/server.ts';
import { type AgentUnderTest, startAgent } from '../packages/agent/src/testing/agent-under-test.ts';
import { makeLogicalPort, makeNetwork, portOf } from '../packages/agent/src/testing/logical-network.ts';
import { type MiniNode, startMiniNode } from '../packages/agent/src/testing/mini-node.ts';
import { nativePlugin, nodePlugin, type PluginHost } from '../packages/agent/src/testing/plugin-hosts.ts';
import { type BenchOptions, type BenchResult, currentConditions, type Measurement, measurement, sampled, timed } from './harness.ts';

const sequential = 100;
const parallel = 30;
const stepNames: Readonly<Record<string, string>> = {
	lease: 'ADD: lease (there already)',
	devices: 'ADD: journal, veth, addresses, precautions',
	ovs: 'ADD: transaction of the OVS port',
	flows: 'ADD: until ovn-installed',
	activate: 'ADD: interface up and routes',
	add: 'ADD: all of it in the agent',
};

/** CNI calls as a runtime makes them, on real OVN and Open vSwitch; leases and logical ports are there before, as the controller makes them. */
export async function run(_options: BenchOptions): Promise<BenchResult> {
	const conditions = currentConditions();
	await using node = await startMiniNode('bench');
	makeNetwork(node);
	const agent = await startAgent(node);
	const socket = join(node.run, 'agent.sock');
	await using _server = await serveCni(
		{ log: silentLogger, pages: {}, handle: (call, gone) => agent.commands.handle(call, gone) },
		{ path: socket },
	);
	using native = nativePlugin();
	using script = nodePlugin();
	const pods = Array.from({ length: sequential + parallel }, (_, index) => preparePod(node, agent, index));
	const call = (command: string, index: number): Promise<void> => callPlugin(native, command, socket, `pod${index}`, pods[index] ?? '');

	// The first attachment on a node makes ovn-controller compute everything: it is not like the others.
	await call('ADD', 0);
	await call('DEL', 0);
	agent.steps.length = 0;
	const adds = await sampled(sequential, (index) => call('ADD', index));
	const steps = [...agent.steps];
	const dels = await sampled(sequential, (index) => call('DEL', index));
	const burst = Array.from({ length: parallel }, (_, index) => sequential + index);
	const burstAdds: number[] = [];
	const whole = await timed(() => Promise.all(burst.map(async (index) => burstAdds.push(await timed(() => call('ADD', index))))));
	const results: Measurement[] = [
		measurement('ADD, flows installed', adds, { note: 'plugin start to exit, one at a time' }),
		...Object.entries(stepNames).map(([step, name]) => measurement(name, samplesOf(steps, step))),
		measurement('DEL', dels, { note: 'plugin start to exit, one at a time' }),
		measurement(`ADD, ${parallel} at once`, burstAdds, { perSecond: (parallel / whole) * 1000 }),
		measurement('plugin start, C', await startTimes(native, 200), { note: 'VERSION, from spawn to exit as this process sees it' }),
		measurement('the same of /bin/true', await sampled(200, () => spawned('/bin/true')), {
			note: 'for comparison: what spawning costs here',
		}),
		measurement('plugin start, Node', await startTimes(script, 20), { note: 'the fallback' }),
	];
	await agent.abandon();
	return { name: 'attach', conditions, results };
}

/** The path of the pod's sandbox. */
function preparePod(node: MiniNode, agent: AgentUnderTest, index: number): string {
	const name = `pod${index}`;
	const port = portOf(`${name}.default`, index + 10);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port });
	return node.sandbox(name).path;
}

async function callPlugin(host: PluginHost, command: string, socket: string, pod: string, netns: string): Promise<void> {
	const env = {
		CNI_COMMAND: command,
		CNI_CONTAINERID: pod,
		CNI_NETNS: netns,
		CNI_IFNAME: 'eth0',
		CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`,
		CNI_PATH: '/opt/cni/bin',
	};
	const { status, stdout } = await host.run(
		env,
		JSON.stringify({ cniVersion: '1.0.0', name: 'bench', type: 'kube-ovn', server_socket: socket }),
	);
	if (status !== 0) throw new Error(`${command} of ${pod} failed: ${stdout}`);
}

function startTimes(host: PluginHost, count: number): Promise<number[]> {
	return sampled(count, () => host.run({ CNI_COMMAND: 'VERSION' }, '{"cniVersion":"1.0.0"}'));
}

function spawned(program: string): Promise<unknown> {
	return once(spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] }), 'close');
}

function samplesOf(steps: AgentUnderTest['steps'], wanted: string): number[] {
	return steps.filter(({ step }) => step === wanted).map(({ seconds }) => seconds * 1000);
}
