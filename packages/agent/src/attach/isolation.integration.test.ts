import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { macFromBytes } from '@tapestry/base';
import {
	addAddress,
	createBridge,
	createVeth,
	deleteLink,
	getLink,
	listLinks,
	Namespace,
	openRoute,
	setLink,
	setNetworkSettings,
} from '@tapestry/linux';
import { holdTap, tapInto, type Wire } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../../../base/src/testing/until.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import {
	arpReplyFrom,
	arpRequest,
	type End,
	echoRequest,
	echoRequest6,
	linkLocalOf,
	neighbourSolicitation,
	routerSolicitation,
	tcpSyn,
} from '../testing/frames.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, runIn, startMiniNode } from '../testing/mini-node.ts';
import { deviceName } from './attachment.ts';
import { parseInterfaceAddress } from './sandbox-side.ts';
import { tapName } from './waiting-tap.ts';

/** Addresses of the node's NIC. A service listens on all addresses of the node. */
const nic = { v4: '192.0.2.1', v6: 'fd00:192::1' } as const;
const servicePort = 7;

let node: MiniNode;
let agent: AgentUnderTest;
let stopService: () => void;
let nextHost = 16;
const wires: Wire[] = [];

beforeAll(async () => {
	node = await startMiniNode('iso');
	makeNetwork(node);
	agent = await startAgent(node);
	const { route, namespace } = node.host;
	// A bridge without ports stands for the NIC: it has addresses and brings no packets of its own.
	createBridge(route, { name: 'nic' });
	setLink(route, 'nic', { up: true });
	for (const address of [`${nic.v4}/24`, `${nic.v6}/64`])
		addAddress(route, getLink(route, 'nic').index, parseInterfaceAddress({ address }));
	// As a node is.
	setNetworkSettings(namespace, { 'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1 });
	stopService = await serve(`/run/netns/${node.name}`);
});
afterAll(async () => {
	for (const wire of wires) await wire.kill();
	stopService?.();
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

async function serve(path: string): Promise<() => void> {
	const program = `require('node:net').createServer().listen(${servicePort}, '::', () => console.log('up'))`;
	const child = spawn('nsenter', [`--net=${path}`, process.execPath, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
	await once(child.stdout, 'data');
	return () => void child.kill('SIGKILL');
}

/** A workload at a port of the switch: what it sends by, its address, and the device at which the node's stack might listen. */
interface Attached {
	readonly wire: Wire;
	readonly self: End;
	readonly device: string;
}

interface Reaction {
	/** Devices of the node that sent anything to the workload. */
	readonly senders: readonly string[];
	/** Packets that the node's stack took in, of each family: its answers may leave by another way. */
	readonly received: { readonly v4: number; readonly v6: number };
}

/**
 * Everything a workload might try on the node that it runs on. A stack takes a packet in and answers at once, so all of that has happened before OVN
 * answers the last question.
 */
async function provoke({ wire, self, device }: Attached): Promise<Reaction> {
	const before = receivedPackets();
	const senders = new Set<string>();
	const last = wire.receive((frame) => {
		senders.add(macFromBytes(frame.subarray(6, 12)));
		return arpReplyFrom(frame, gateways.v4) !== undefined;
	});
	const host: End = { mac: getLink(node.host.route, device).mac ?? '', ip: nic.v4 };
	const linkLocal: End = { mac: self.mac, ip: linkLocalOf(self.mac) };
	for (const frame of [
		arpRequest(self, nic.v4),
		arpRequest({ ...self, ip: '192.0.2.99' }, nic.v4),
		echoRequest(self, host),
		tcpSyn(self, host, servicePort),
		neighbourSolicitation(linkLocal, nic.v6),
		neighbourSolicitation(linkLocal, linkLocalOf(host.mac)),
		echoRequest6(linkLocal, { mac: '33:33:00:00:00:01', ip: 'ff02::1' }),
		echoRequest6(linkLocal, { mac: host.mac, ip: nic.v6 }),
		routerSolicitation(linkLocal),
		arpRequest(self, gateways.v4),
	]) {
		wire.send(frame);
	}
	await within(`an ARP reply of ${gateways.v4} to ${self.ip}`, last);
	const after = receivedPackets();
	return {
		senders: listLinks(node.host.route).flatMap(({ mac, name }) => (mac && senders.has(mac) ? [name] : [])),
		received: { v4: after.v4 - before.v4, v6: after.v6 - before.v6 },
	};
}

/** What the node's stack has received so far (proc_pid_net(5), snmp and snmp6). */
function receivedPackets(): Reaction['received'] {
	const read = (file: string): string => node.host.namespace.run(() => readFileSync(`/proc/thread-self/net/${file}`, 'utf8'));
	const [names = [], values = []] = read('snmp')
		.split('\n')
		.filter((line) => line.startsWith('Ip:'))
		.map((line) => line.split(' '));
	return { v4: Number(values[names.indexOf('InReceives')]), v6: Number(/^Ip6InReceives\s+(\d+)$/m.exec(read('snmp6'))?.[1]) };
}

function leased(name: string, kind: 'pod' | 'machine') {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, kind === 'pod' ? { kind, port } : { kind, port, queues: 1 });
	return { sandbox: node.sandbox(name), containerId: name, self: { mac: port.mac, ip: `10.16.0.${host}` }, port };
}

const silence: Reaction = { senders: [], received: { v4: 0, v6: 0 } };
const keep = (wire: Wire): Wire => {
	wires.push(wire);
	return wire;
};

describe("the node's own stack", () => {
	it('answers a workload whose device was plugged in without precautions: what this is about, and that the probes find it', async () => {
		const { sandbox, self, port } = leased('naive', 'pod');
		using namespace = Namespace.open(sandbox.path);
		using route = openRoute(namespace);
		createVeth(node.host.route, { name: 'naive', mtu: 1442, peer: { name: 'eth0', mac: self.mac, mtu: 1442, namespace } });
		setLink(node.host.route, 'naive', { up: true });
		setLink(route, 'eth0', { up: true });
		await agent.bridge.add({ device: 'naive', ifaceId: port.name, ifaceIdVersion: port.ownerUid, about: {} });
		await agent.installed('naive');
		const attached = { wire: keep(await tapInto(sandbox.path, 'eth0')), self, device: 'naive' };
		const { senders, received } = await provoke(attached);
		expect(senders).toEqual(['naive']);
		expect(Math.min(received.v4, received.v6)).toBeGreaterThan(0);
		await agent.bridge.remove('naive');
		await deleteLink('naive', node.host.namespace);
	});

	it('says nothing to a pod', async () => {
		const pod = leased('pod', 'pod');
		expect((await agent.call('ADD', pod)).ok).toBe(true);
		const wire = keep(await tapInto(pod.sandbox.path, 'eth0'));
		expect(await provoke({ wire, self: pod.self, device: deviceName('veth', { containerId: 'pod', ifname: 'eth0' }) })).toEqual(silence);
		expect(pod.sandbox.run('ping', '-c1', '-W1', nic.v4).stdout).toContain('0 received');
	});

	it('says nothing to a machine', async () => {
		const machine = leased('machine', 'machine');
		const device = deviceName('lift', { containerId: 'machine', ifname: 'eth0' });
		expect((await agent.call('ADD', machine)).ok).toBe(true);
		const wire = keep(await holdTap(machine.sandbox.path, { name: tapName, queues: 1 }));
		await agent.installed(device);
		expect(await provoke({ wire, self: machine.self, device })).toEqual(silence);
	});

	it('is shielded again by an agent that starts anew, and keeps nothing of what was deleted', async () => {
		const rules = () => runIn(`/run/netns/${node.name}`, ['nft', 'list', 'ruleset']).stdout;
		const devices = ['pod', 'machine'].map((id) => deviceName(id === 'pod' ? 'veth' : 'lift', { containerId: id, ifname: 'eth0' }));
		runIn(`/run/netns/${node.name}`, ['nft', 'flush', 'ruleset']);
		await agent.abandon();
		agent = await startAgent(node);
		for (const device of devices) expect(rules()).toContain(`chain ${device}`);
		for (const containerId of ['pod', 'machine']) await agent.call('DEL', { containerId, sandbox: { path: '' } });
		expect(rules()).not.toContain('chain');
	});
});
