import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLink, linkStatistics, Namespace, openRoute, setLink } from '@tapestry/linux';
import { holdTap, untilLink, type Wire } from '@tapestry/linux/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderPortCounters } from '../port-counters.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { arpRequest } from '../testing/frames.ts';
import { askGateway } from '../testing/gateway.ts';
import { makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { holdTapByQemu } from '../testing/qemu-wire.ts';
import { deviceName } from './attachment.ts';
import { isVmm } from './vmm.ts';
import { tapName } from './waiting-tap.ts';

let node: MiniNode;
let agent: AgentUnderTest;
let nextHost = 16;
const held: Wire[] = [];

beforeAll(async () => {
	node = await startMiniNode('lift');
	makeNetwork(node);
	agent = await startAgent(node);
});
afterEach(async () => {
	for (const holder of held.splice(0)) await holder.kill();
});
afterAll(async () => {
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

interface Machine {
	readonly sandbox: Sandbox;
	readonly containerId: string;
	readonly host: number;
	readonly mac: string;
	readonly port: string;
	/** The tap's name on the node. */
	readonly device: string;
}

function machine(name: string, queues = 1): Machine {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'machine', port, queues });
	const device = deviceName('lift', { containerId: name, ifname: 'eth0' });
	return { sandbox: node.sandbox(name), containerId: name, host, mac: port.mac, port: port.name, device };
}

async function openTap(vm: Machine, queues = 1, switchOff = false): Promise<Wire> {
	const holder = await holdTap(vm.sandbox.path, { name: tapName, queues, switchOff });
	held.push(holder);
	return holder;
}

/** Resolves when the switch has the machine's tap with its flows. */
const untilPlugged = ({ device }: Machine): Promise<true> => agent.installed(device);

function links(path: string): readonly string[] {
	using namespace = Namespace.open(path);
	using route = openRoute(namespace);
	return [tapName, 'eth0'].filter((name) => findLink(route, name));
}
const onNode = (name: string) => findLink(node.host.route, name);

/** The guest asks for the gateway's hardware address; OVN answers. */
const asksGateway = (guest: Wire, { mac, host }: Machine): Promise<string | undefined> => askGateway(guest, { mac, ip: `10.16.0.${host}` });

describe('a machine', () => {
	it('has a placeholder with its addresses and a tap that waits, until the VMM opens it and the tap is in the switch', async () => {
		const vm = machine('vm1');
		const added = await agent.call('ADD', vm);
		expect(added.json).toMatchObject({
			interfaces: [{ name: 'eth0', mac: vm.mac, sandbox: vm.sandbox.path }, { name: 'tap0' }],
			ips: [
				{ address: '10.16.0.16/16', interface: 0 },
				{ address: 'fd00:10:16::10/112', interface: 0 },
			],
			routes: [],
		});
		expect(links(vm.sandbox.path)).toEqual([tapName, 'eth0']);
		expect(agent.modes.lift.describe(agent.journal.all()[0]!)).toEqual({ path: [tapName], connected: false, faults: [] });

		const guest = await openTap(vm);
		await untilPlugged(vm);
		expect(links(vm.sandbox.path)).toEqual(['eth0']);
		expect(onNode(vm.device)).toMatchObject({ up: true, carrier: true, arp: false, mtu: 1442 });
		// Nobody answers these, so the two directions count differently.
		for (let times = 0; times < 3; times++) guest.send(arpRequest({ mac: vm.mac, ip: '10.16.0.16' }, '10.16.99.99'));
		expect(await asksGateway(guest, vm)).toBe('0a0000000001');
		expect(agent.modes.lift.describe(agent.journal.all()[0]!)).toEqual({ path: [vm.device, 'br-int'], connected: true, faults: [] });
		const counters = renderPortCounters(agent.journal.all(), linkStatistics(node.host.route));
		expect(counters).toContain('tapestry_port_transmit_packets_total{namespace="default",name="vm1",kind="machine"} 4\n');
		expect(counters).toContain('tapestry_port_transmit_bytes_total{namespace="default",name="vm1",kind="machine"} 168\n');
		// OVN's answer: the launcher's own stack says nothing to the guest.
		expect(counters).toContain('tapestry_port_receive_packets_total{namespace="default",name="vm1",kind="machine"} 1\n');
		expect((await agent.call('CHECK', { ...vm, config: { prevResult: added.json } })).body).toBe('');
	});

	it.each([
		['one queue', 1, false],
		['several queues', 3, true],
	])("has the tap that KubeVirt's VMM can open: %s", async (_, queues, multiQueue) => {
		const vm = machine(`kubevirt${queues}`, queues);
		await agent.call('ADD', vm);
		const [tap] = JSON.parse(vm.sandbox.run('ip', '-json', '-details', 'link', 'show', tapName).stdout);
		// A VMM that asks for several queues is refused a tap that was made without, and the other way round.
		const kind = { type: 'tap', pi: false, vnet_hdr: true, multi_queue: multiQueue, persist: true, user: 107 };
		expect(tap).toMatchObject({ mtu: 1442, flags: expect.arrayContaining(['UP']), linkinfo: { info_data: kind } });
		expect(vm.sandbox.run('ip', '-brief', 'address', 'show', 'eth0').stdout).toContain(`10.16.0.${vm.host}/16`);
	});

	it('gets its tap back when the VMM ends, and is lifted again with the next one', async () => {
		const vm = machine('vm2');
		await agent.call('ADD', vm);
		const first = await openTap(vm);
		await untilPlugged(vm);
		await first.kill();
		await untilLink(vm.sandbox.path, tapName, (link) => link?.up === true);
		expect(onNode(vm.device)).toBeUndefined();
		expect(agent.bridge.port(vm.device)).toBeUndefined();

		const second = await openTap(vm);
		await untilPlugged(vm);
		expect(await asksGateway(second, vm)).toBe('0a0000000001');
	});

	it('is lifted only when the VMM has opened every queue, those that are switched off included', async () => {
		const vm = machine('vm3', 3);
		await agent.call('ADD', vm);
		// Two of three queues: a VMM half-way through.
		const early = await openTap(vm, 2);
		await untilLink(vm.sandbox.path, tapName, (link) => link?.queues?.used === 2);
		await early.kill();
		await untilLink(vm.sandbox.path, tapName, (link) => link?.carrier === false);
		await openTap(vm, 3, true);
		await untilPlugged(vm);
		expect(onNode(vm.device)?.queues).toEqual({ used: 1, off: 2 });
	});

	it('leaves nothing after DEL in any state, twice and without its namespace', async () => {
		for (const state of ['waiting', 'lifted', 'gone'] as const) {
			const vm = machine(`vm-${state}`);
			await agent.call('ADD', vm);
			if (state !== 'waiting') {
				await openTap(vm);
				await untilPlugged(vm);
			}
			if (state === 'gone') vm.sandbox.remove();
			for (let twice = 0; twice < 2; twice++) expect(await agent.call('DEL', vm)).toMatchObject({ ok: true, body: '' });
			expect(onNode(vm.device)).toBeUndefined();
			expect(agent.bridge.port(vm.device)).toBeUndefined();
			expect(agent.journal.get({ containerId: vm.containerId, ifname: 'eth0' })).toBeUndefined();
			if (state !== 'gone') expect(links(vm.sandbox.path)).toEqual([]);
		}
	});

	it('takes its logical port over from a launcher that is still there', async () => {
		const before = machine('vm4');
		await agent.call('ADD', before);
		await openTap(before);
		await untilPlugged(before);
		const after = { ...before, containerId: 'vm4-again', sandbox: node.sandbox('again') };
		await agent.call('ADD', { ...after, pod: 'vm4' });
		const device = deviceName('lift', { containerId: after.containerId, ifname: 'eth0' });
		const guest = await openTap(after);
		await untilPlugged({ ...after, device });
		expect(agent.bridge.port(before.device)).toMatchObject({ ifaceId: undefined, successor: device });
		expect(await asksGateway(guest, after)).toBe('0a0000000001');
		// The next agent knows which of the two it was.
		await agent.abandon();
		agent = await startAgent(node);
		expect(agent.bridge.port(before.device)?.ifaceId).toBeUndefined();
		expect(await asksGateway(guest, after)).toBe('0a0000000001');
		await agent.call('DEL', before);
		expect(await asksGateway(guest, after)).toBe('0a0000000001');
	});
});

describe('an agent that starts anew', () => {
	it('leaves a lifted tap alone and still sees its VMM end', async () => {
		const vm = machine('vm5');
		await agent.call('ADD', vm);
		const guest = await openTap(vm);
		await untilPlugged(vm);
		const index = onNode(vm.device)?.index;
		await agent.abandon();
		agent = await startAgent(node);
		expect(onNode(vm.device)?.index).toBe(index);
		expect(await asksGateway(guest, vm)).toBe('0a0000000001');
		await guest.kill();
		await untilLink(vm.sandbox.path, tapName, (link) => link?.up === true);
	});

	it('lifts a tap that was opened meanwhile and plugs in one that was only moved', async () => {
		const [opened, moved] = [machine('vm6'), machine('vm7')];
		await agent.call('ADD', opened);
		await agent.call('ADD', moved);
		await agent.abandon();
		await openTap(opened);
		const guest = await openTap(moved);
		using namespace = Namespace.open(moved.sandbox.path);
		using route = openRoute(namespace);
		setLink(route, tapName, { name: moved.device, namespace: node.host.namespace });
		agent = await startAgent(node);
		await Promise.all([untilPlugged(opened), untilPlugged(moved)]);
		expect(await asksGateway(guest, moved)).toBe('0a0000000001');
	});
});

describe('the VMM', () => {
	/** What has come to another machine's tap before has been seen by then. */
	async function isLifted(vm: Machine): Promise<void> {
		await agent.call('ADD', vm);
		held.push(await holdTapByQemu(vm.sandbox.path, { name: tapName, queues: 1 }));
		await untilPlugged(vm);
	}

	it('is recognised: QEMU with two queues has its tap lifted, and gets it back when it is gone', async () => {
		await agent.abandon();
		agent = await startAgent(node, { isVmm });
		const vm = machine('vm8', 2);
		await agent.call('ADD', vm);
		const qemu = spawn(
			'nsenter',
			[
				...[
					`--net=${vm.sandbox.path}`,
					'qemu-system-x86_64',
					'-machine',
					'q35,accel=tcg',
					'-m',
					'64',
					'-nodefaults',
					'-display',
					'none',
					'-S',
				],
				...['-netdev', `tap,id=n0,ifname=${tapName},script=no,downscript=no,vnet_hdr=on,queues=2`],
				...['-device', `virtio-net-pci,netdev=n0,mac=${vm.mac},romfile=,mq=on,vectors=6`],
			],
			{ stdio: 'inherit' },
		);
		const exited = once(qemu, 'exit');
		try {
			await untilPlugged(vm);
			const { used = 0, off = 0 } = onNode(vm.device)?.queues ?? {};
			expect(used + off).toBe(2);
		} finally {
			qemu.kill('SIGKILL');
			await exited;
		}
		await untilLink(vm.sandbox.path, tapName, (link) => link?.up === true);
	});

	it('is nobody else: a tap that a script opens stays where it is', async () => {
		const vm = machine('vm9');
		await agent.call('ADD', vm);
		await openTap(vm);
		await untilLink(vm.sandbox.path, tapName, (link) => link?.carrier === true);
		await isLifted(machine('later'));
		expect(links(vm.sandbox.path)).toEqual([tapName, 'eth0']);
	});

	it('is not yet libvirt, which opens a tap for the QEMU that it will start', async () => {
		const vm = machine('vm10');
		await agent.call('ADD', vm);
		using directory = mkdtempDisposableSync(join(tmpdir(), 'libvirt-'));
		const libvirtd = join(directory.path, 'libvirtd');
		copyFileSync('/usr/bin/qemu-system-x86_64', libvirtd);
		const tap = ['-netdev', `tap,id=n0,ifname=${tapName},script=no,downscript=no,vnet_hdr=on`];
		const argv = [`--net=${vm.sandbox.path}`, libvirtd, '-machine', 'none', '-nodefaults', '-display', 'none', ...tap];
		// It would look for them beside itself.
		const env = { ...process.env, QEMU_MODULE_DIR: '/usr/lib/x86_64-linux-gnu/qemu' };
		const opener = spawn('nsenter', argv, { env, stdio: 'inherit' });
		const exited = once(opener, 'exit');
		try {
			await untilLink(vm.sandbox.path, tapName, (link) => link?.carrier === true);
			await isLifted(machine('latest'));
			expect(links(vm.sandbox.path)).toEqual([tapName, 'eth0']);
		} finally {
			opener.kill('SIGKILL');
			await exited;
		}
	});
});
