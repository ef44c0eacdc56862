import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LauncherUnderTest } from '../../../lab/src/launcher/testing/launcher-under-test.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { startGuest } from '../testing/guest.ts';
import { giveAddresses, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, runIn, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { isVmm } from './vmm.ts';

const program = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk';
const megabytes = 256;

/** Open vSwitch with DPDK takes its memory from huge pages. */
function hasDpdk(): boolean {
	const free = Number(/HugePages_Free:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
	return existsSync(program) && free * 2 > megabytes;
}

const bytes = 120_000;
const source = `yes tapestry | head -c ${bytes}`;
const digest = createHash('md5')
	.update(Buffer.from('tapestry\n'.repeat(Math.ceil(bytes / 9))).subarray(0, bytes))
	.digest('hex');

describe.skipIf(!hasDpdk())('a guest by vhost-user', () => {
	let node: MiniNode;
	let agent: AgentUnderTest;
	let peer: Sandbox;
	let sandbox: Sandbox;
	let guest: LauncherUnderTest;
	const port = portOf('vm.default', 16);
	const vm = () => ({ containerId: 'vm', sandbox });
	const attached = () => agent.journal.get({ containerId: 'vm', ifname: 'eth0' })!;

	beforeAll(async () => {
		node = await startMiniNode('vhost');
		const settings = { 'dpdk-init': 'true', 'dpdk-socket-mem': String(megabytes), 'pmd-maxsleep': '100' };
		node.vsctl('--no-wait', 'set', 'Open_vSwitch', '.', ...Object.entries(settings).map(([key, value]) => `other_config:${key}=${value}`));
		await node.restart('ovs-vswitchd', { program });
		makeNetwork(node);
		agent = await startAgent(node, { isVmm });
		const peerPort = portOf('peer.default', 5);
		makeLogicalPort(node, peerPort);
		peer = node.sandbox('peer');
		agent.workloads.set({ namespace: 'default', name: 'peer' }, { kind: 'pod', port: peerPort });
		expect(await agent.call('ADD', { containerId: 'peer', sandbox: peer })).toMatchObject({ ok: true });
		makeLogicalPort(node, port);
		giveAddresses(node, port);
		sandbox = node.sandbox('vm');
		agent.workloads.set({ namespace: 'default', name: 'vm' }, { kind: 'machine', port, queues: 1, mode: 'vhost-user' });
		expect(await agent.call('ADD', vm())).toMatchObject({ ok: true });
		guest = await startGuest(sandbox, { queues: 1 });
		await guest.running;
		await guest.shown('GUEST READY');
	}, 120_000);
	afterAll(async () => {
		await guest?.[Symbol.asyncDispose]();
		await agent?.abandon();
		await node?.[Symbol.asyncDispose]();
	});

	it('has its address from OVN, pings and echoes a stream', async () => {
		expect((await guest.exec('/sbin/addresses')).output).toContain('10.16.0.16/16');
		expect(runIn(peer.path, ['ping', '-n', '-q', '-c', '3', '-i', '0.2', '-M', 'do', '-s', '1414', '10.16.0.16']).stdout).toContain(
			' 0% packet',
		);
		for (const address of ['10.16.0.16', 'fd00:10:16::10']) {
			const stream = `${source} | busybox nc -w 20 ${address} 7 | head -c ${bytes} | md5sum`;
			expect(runIn(peer.path, ['busybox', 'sh', '-c', stream]).stdout).toContain(digest);
		}
		expect(agent.modes['vhost-user'].describe(attached())).toMatchObject({ connected: true, faults: [] });
	});

	it('is under the policy of its port', () => {
		const ping = () => runIn(peer.path, ['ping', '-n', '-c', '1', '-W', '2', '10.16.0.16']).status;
		node.nbctl('--wait=hv', 'acl-add', 'ovn-default', 'to-lport', '1000', `outport == "${port.name}" && icmp4`, 'drop');
		expect(ping()).not.toBe(0);
		node.nbctl('--wait=hv', 'acl-del', 'ovn-default');
		expect(ping()).toBe(0);
	});

	it('goes on with the next agent and the next switch, and leaves nothing', async () => {
		await agent.abandon();
		agent = await startAgent(node, { isVmm });
		await node.restart('ovs-vswitchd', { program });
		const again = ['ping', '-n', '-c', '1', '-i', '0.2', '-w', '30', '10.16.0.16'];
		expect(runIn(peer.path, again).status).toBe(0);
		const { device } = attached();
		await guest[Symbol.asyncDispose]();
		for (let twice = 0; twice < 2; twice++) expect(await agent.call('DEL', vm())).toMatchObject({ ok: true, body: '' });
		expect(agent.bridge.port(device)).toBeUndefined();
		expect(sandbox.run('ip', '-brief', 'link').stdout).not.toContain('eth0');
	});
});
