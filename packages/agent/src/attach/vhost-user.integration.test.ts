import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../base/src/testing/until.ts';
import type { LauncherUnderTest } from '../../../lab/src/launcher/testing/launcher-under-test.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { startDpdk } from '../testing/dpdk.ts';
import { startGuest } from '../testing/guest.ts';
import { kataFaults } from '../testing/kata-schema.ts';
import { gateways, giveAddresses, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { isVmm } from './vmm.ts';

let node: MiniNode;
let agent: AgentUnderTest;
const guests: LauncherUnderTest[] = [];

beforeAll(async () => {
	node = await startMiniNode('vhost');
	makeNetwork(node);
	agent = await startAgent(node, { isVmm });
});
afterAll(async () => {
	for (const guest of guests) await guest[Symbol.asyncDispose]();
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

function sandboxOf(name: string, host: number, kind: 'pod' | 'machine'): Sandbox {
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	giveAddresses(node, port);
	const machine = { kind: 'machine', port, queues: 1, mode: 'vhost-user' } as const;
	agent.workloads.set({ namespace: 'default', name }, kind === 'machine' ? machine : { kind, port, mode: 'vhost-user' });
	return node.sandbox(name);
}

async function boot(sandbox: Sandbox): Promise<LauncherUnderTest> {
	const guest = await startGuest(sandbox, { queues: 1 });
	guests.push(guest);
	await guest.running;
	return guest;
}

/** `yes` once the gateway answers; the switch may be about to connect. */
const pingsGateway = async (guest: LauncherUnderTest): Promise<string> =>
	(
		await guest.exec(
			'sh',
			'-c',
			`for i in $(seq 30); do ping -c 1 -W 1 ${gateways.v4} >/dev/null 2>&1 && echo yes && break; sleep 0.5; done`,
		)
	).output.trim();

describe('a port of vhost-user', () => {
	let guest: LauncherUnderTest;
	const described = () => agent.modes['vhost-user'].describe(agent.journal.get({ containerId: 'vm', ifname: 'eth0' })!);

	it('that Open vSwitch accepts and has no memory for is called dead, with what to look for', async () => {
		await startDpdk(node, agent.bridge, { 'per-port-memory': 'false' });
		const sandbox = sandboxOf('vm', 16, 'machine');
		expect(await agent.call('ADD', { containerId: 'vm', sandbox })).toMatchObject({ ok: true });
		guest = await boot(sandbox);
		// Before its driver starts there is nobody to be dead for.
		expect(described()).toMatchObject({ connected: false, faults: [] });
		const fault = () => described().faults[0];
		await until('a fault of the port', (look) => agent.bridge.onChange(look), fault);
		expect(fault()).toMatch(/^vhu[0-9a-f]+ is dead although the guest has connected: ovs-vswitchd.log says why/);
	});

	it('lives with the next switch, which connects to the same VMM', async () => {
		await startDpdk(node, agent.bridge);
		await guest.shown('GUEST READY');
		expect(await pingsGateway(guest)).toContain('yes');
		// Packets pass before the switch has written that they do.
		await until(
			() => `the port to be connected: ${JSON.stringify(described())}`,
			(look) => agent.bridge.onChange(look),
			() => described().connected,
		);
		expect(described().faults).toEqual([]);
		await node.restart('ovs-vswitchd', { dpdk: true });
		expect(await pingsGateway(guest)).toContain('yes');
	});
});

describe('a Kata sandbox by vhost-user', () => {
	it('is told the socket that the switch connects to, and nothing is left of it', async () => {
		const sandbox = sandboxOf('kata', 17, 'pod');
		const add = () => agent.call('ADD', { containerId: 'kata', sandbox });
		expect(await add()).toMatchObject({ ok: true });
		const file = JSON.parse(readFileSync(join(node.run, 'dans', 'kata.json'), 'utf8'));
		expect(kataFaults(file, 'runtime-rs')).toEqual([]);
		const { device } = agent.journal.get({ containerId: 'kata', ifname: 'eth0' })!;
		expect(file.devices[0].device).toEqual({ type: 'vhost-user', path: expect.stringMatching(`/${device}/socket$`) });
		// QEMU stands in for Dragonball, which makes the socket as it does.
		const guest = await boot(sandbox);
		await guest.shown('GUEST READY');
		expect(await pingsGateway(guest)).toContain('yes');
		await guest[Symbol.asyncDispose]();
		for (let twice = 0; twice < 2; twice++) expect(await agent.call('DEL', { containerId: 'kata', sandbox })).toMatchObject({ ok: true });
		expect(agent.bridge.port(device)).toBeUndefined();
		expect(sandbox.run('ip', '-brief', 'link').stdout).not.toContain('eth0');
	});
});
