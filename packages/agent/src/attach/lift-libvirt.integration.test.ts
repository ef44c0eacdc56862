import { untilLink } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { type LibvirtMachine, startLibvirtMachine } from '../testing/libvirt-machine.ts';
import { giveAddresses, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { isVmm } from './vmm.ts';
import { tapName } from './waiting-tap.ts';

/** One launcher whose libvirt starts QEMU again and again: the tap is opened by libvirtd, which hands it on. */
const port = portOf('machine.default', 16);

let node: MiniNode;
let agent: AgentUnderTest;
let sandbox: Sandbox;
let machine: LibvirtMachine;

beforeAll(async () => {
	node = await startMiniNode('libvirt');
	makeNetwork(node);
	makeLogicalPort(node, port);
	giveAddresses(node, port);
	agent = await startAgent(node, { isVmm });
	sandbox = node.sandbox('machine');
	agent.workloads.set({ namespace: 'default', name: 'machine' }, { kind: 'machine', port, queues: 1, mode: 'lift' });
	expect(await agent.call('ADD', { containerId: 'machine', sandbox })).toMatchObject({ ok: true });
	machine = await startLibvirtMachine(sandbox.path, port);
});
afterAll(async () => {
	await machine?.[Symbol.asyncDispose]();
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

const attached = () => agent.journal.get({ containerId: 'machine', ifname: 'eth0' });
/** Not before QEMU has it: libvirt still asks for the tap by its name when it has opened it. */
async function lifted(): Promise<void> {
	await untilLink(`/run/netns/${node.name}`, attached()?.device ?? '', (link) => link?.up === true && link.carrier);
	expect(machine.qemu()).toBeGreaterThan(0);
}
const waits = () => untilLink(sandbox.path, tapName, (link) => link?.up === true && !link.carrier);

describe('a libvirt that starts its QEMU anew', () => {
	it.each([
		['it has ended it', () => machine.destroy()],
		['it was killed', () => process.kill(machine.qemu(), 'SIGKILL')],
	])('has its tap lifted again: %s', async (_, end) => {
		await lifted();
		end();
		await waits();
		machine.create();
		await lifted();
	});

	it('has it lifted again by an agent that was away when it ended', async () => {
		await agent.abandon();
		machine.destroy();
		agent = await startAgent(node, { isVmm });
		await waits();
		machine.create();
		await lifted();
	});

	it('has a guest whose packets pass', async () => {
		await machine.shown(`addresses=10.16.0.16/16`);
		expect(agent.modes.lift.describe(attached()!)).toMatchObject({ connected: true, faults: [] });
	});

	it('leaves nothing', async () => {
		await machine[Symbol.asyncDispose]();
		expect(await agent.call('DEL', { containerId: 'machine', sandbox })).toMatchObject({ ok: true });
		expect(agent.bridge.ports()).toEqual([]);
	});
});
