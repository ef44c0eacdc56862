import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { macFromBytes } from '@tapestry/base';
import { addAddress, createVeth, getLink, listLinks, Namespace, openRoute, setLink, setNetworkSettings } from '@tapestry/linux';
import { holdTap, tapInto, type Wire } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { tapName } from './lifted-tap.ts';
import { parseInterfaceAddress } from './sandbox-side.ts';

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
	createVeth(route, { name: 'nic', peer: { name: 'wire' } });
	for (const name of ['nic', 'wire']) setLink(route, name, { up: true });
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
	const program = `import socket,time\ns=socket.create_server(("::",${servicePort}),family=socket.AF_INET6,dualstack_ipv6=True)\nprint("up",flush=True)\ntime.sleep(9999)`;
	const child = spawn('nsenter', [`--net=${path}`, 'python3', '-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
	await once(child.stdout, 'data');
	return () => void child.kill('SIGKILL');
}

/** A workload at a port of the switch: what it sends by, its address, and the device at which the node's stack might listen. */
interface Attached {
	readonly wire: Wire;
	readonly self: End;
	readonly device: string;
}

/**
 * Everything a workload might try on the node that it runs on. Gives those devices of the node that anything came from. A stack answers while it takes
 * a packet in, so all its answers are there before OVN's answer to the last question.
 */
async function provoke({ wire, self, device }: Attached): Promise<readonly string[]> {
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
	await last;
	return listLinks(node.host.route).flatMap(({ mac, name }) => (mac && senders.has(mac) ? [name] : []));
}

function leased(name: string, kind: 'pod' | 'machine') {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, kind === 'pod' ? { kind, port } : { kind, port, queues: 1 });
	return { sandbox: node.sandbox(name), containerId: name, self: { mac: port.mac, ip: `10.16.0.${host}` }, port };
}

function untilInstalled(device: string): Promise<void> {
	return new Promise((resolve) => {
		const check = (): void => {
			if (agent.bridge.port(device)?.installed) resolve();
		};
		agent.bridge.onChange(check);
		check();
	});
}

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
		await untilInstalled('naive');
		const attached = { wire: keep(await tapInto(sandbox.path, 'eth0')), self, device: 'naive' };
		expect(await provoke(attached)).toEqual(['naive']);
	});

	it('says nothing to a pod', async () => {
		const pod = leased('pod', 'pod');
		expect((await agent.call('ADD', pod)).ok).toBe(true);
		const wire = keep(await tapInto(pod.sandbox.path, 'eth0'));
		expect(await provoke({ wire, self: pod.self, device: deviceName('veth', { containerId: 'pod', ifname: 'eth0' }) })).toEqual([]);
		expect(pod.sandbox.run('ping', '-c1', '-W1', nic.v4).stdout).toContain('0 received');
	});

	it('says nothing to a machine', async () => {
		const machine = leased('machine', 'machine');
		const device = deviceName('lift', { containerId: 'machine', ifname: 'eth0' });
		expect((await agent.call('ADD', machine)).ok).toBe(true);
		const wire = keep(await holdTap(machine.sandbox.path, { name: tapName, queues: 1 }));
		await untilInstalled(device);
		expect(await provoke({ wire, self: machine.self, device })).toEqual([]);
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
