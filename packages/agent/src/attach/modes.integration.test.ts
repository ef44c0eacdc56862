import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBridge, findLink, getLink, listLinks, Namespace, openRoute, operational } from '@tapestry/linux';
import { holdTap, tapInto, untilLink, type Wire } from '@tapestry/linux/testing';
import { masqueradeMac, podSideAddresses, readModeMark } from '@tapestry/network';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { patiently, until, within } from '../../../base/src/testing/until.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { type End, echoRequest, isEchoReply } from '../testing/frames.ts';
import { askGateway, reachGateway } from '../testing/gateway.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, runIn, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { type Attachment, deviceName, type ModeName } from './attachment.ts';
import { tapName } from './waiting-tap.ts';

let node: MiniNode;
let agent: AgentUnderTest;
let nextHost = 16;
const wires: Wire[] = [];

beforeAll(async () => {
	node = await startMiniNode('modes');
	makeNetwork(node);
	agent = await startAgent(node);
});
afterEach(async () => {
	for (const wire of wires.splice(0)) await wire.kill();
});
afterAll(async () => {
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

interface Mode {
	readonly name: ModeName;
	/** How its kind of workload gets at the wire. */
	readonly plugIn: (sandbox: Sandbox) => Promise<Wire>;
	/** Where the workload is behind NAT: who it is there, and its gateway. */
	readonly behind?: { readonly self: End; readonly gateway: End };
}

/**
 * A tap passes on what comes for it, and a bridge what comes from it, only once the kernel has dealt with its carrier, a moment after it was opened. A
 * lifted one is gone then.
 */
async function opened(path: string, name: string): Promise<Wire> {
	const wire = await holdTap(path, { name, queues: 1 });
	wires.push(wire);
	await untilLink(path, name, (link) => link === undefined || link.operState === operational);
	return wire;
}
const byTap = (sandbox: Sandbox): Promise<Wire> => opened(sandbox.path, tapName);
const byPacketSocket = async (sandbox: Sandbox, name: string): Promise<Wire> => {
	const wire = await tapInto(sandbox.path, name);
	wires.push(wire);
	return wire;
};

const modes: readonly Mode[] = [
	{ name: 'veth', plugIn: (sandbox) => byPacketSocket(sandbox, 'eth0') },
	{ name: 'lift', plugIn: byTap },
	{ name: 'bridge', plugIn: byTap },
	{ name: 'managedtap', plugIn: byTap },
	{ name: 'tcredirect', plugIn: byTap },
	{ name: 'macvtap', plugIn: (sandbox) => byPacketSocket(sandbox, tapName) },
	// Their VMM or its helper uses the sandbox's interface as a program does.
	{ name: 'passt', plugIn: (sandbox) => byPacketSocket(sandbox, 'eth0') },
	{ name: 'slirp', plugIn: (sandbox) => byPacketSocket(sandbox, 'eth0') },
	{
		name: 'masquerade',
		plugIn: byTap,
		behind: {
			self: { mac: '02:00:00:00:00:99', ip: podSideAddresses[4].guest },
			gateway: { mac: masqueradeMac, ip: podSideAddresses[4].gateway },
		},
	},
];

/** What every way to attach a workload has to do: one suite for all. */
describe.each(modes)('attachment mode $name', ({ name, plugIn, behind }) => {
	function attachment(containerId: string): { readonly attachment: Attachment; readonly sandbox: Sandbox } {
		const port = portOf(`${containerId}.default`, nextHost++);
		makeLogicalPort(node, port);
		const sandbox = node.sandbox(containerId);
		const id = { containerId, ifname: 'eth0' };
		const pod = { namespace: 'default', name: containerId, uid: '' };
		const device = deviceName(name, id);
		return {
			sandbox,
			attachment: { ...id, network: 'net', netns: sandbox.path, pod, mode: name, device, port, queues: 1, complete: true },
		};
	}

	async function connected(containerId: string) {
		const made = attachment(containerId);
		const mode = agent.modes[name];
		const interfaces = await mode.prepare(made.attachment);
		await mode.connect(made.attachment, patiently());
		// What the switch sends is passed on from now on. A question about the one link would have the kernel deal with its carrier first.
		const end = listLinks(node.host.route).find((link) => link.name === made.attachment.device);
		expect(end === undefined || end.operState === operational).toBe(true);
		const wire = await plugIn(made.sandbox);
		await agent.installed(made.attachment.device);
		return { ...made, mode, wire, interfaces };
	}

	it('gives the sandbox the interface of the port and the workload a way through the switch', async () => {
		const { attachment: made, mode, wire, interfaces } = await connected(`${name}-1`);
		const { mac, mtu } = made.port;
		expect(interfaces).toContainEqual({ name: 'eth0', mac, mtu, sandbox: made.netns });
		await reachesGateway(wire, made, behind);
		const state = mode.describe(made);
		expect(state).toMatchObject({ connected: true, faults: [] });
		expect(state.path.at(-1)).toBe('br-int');
		expect(state.path).toContain(made.device);
		if (name !== 'veth') expect(readModeMark(aliasOf(made))?.mode).toBe(name);
	});

	it('sees what somebody changed', async () => {
		const { attachment: made, sandbox, mode } = await connected(`${name}-2`);
		sandbox.run('ip', 'addr', 'flush', 'dev', 'eth0');
		expect(mode.describe(made).faults).toContain(`eth0 lacks address ${made.port.addresses[0]?.address}`);
		// Some modes plug it in again at once.
		const unplugged = until(
			'the port to go',
			(listener) => agent.bridge.onChange(listener),
			() => agent.bridge.port(made.device) === undefined && mode.describe(made),
		);
		await agent.bridge.remove(made.device);
		const state = await unplugged;
		expect(state).toMatchObject({ connected: false });
		expect(state.faults).toContain(`${made.device} is not plugged into br-int as ${made.port.name}`);
		sandbox.remove();
		expect(mode.describe(made).faults).toContain(`the network namespace ${made.netns} is gone`);
	});

	it('goes on under the next agent without a packet lost', async () => {
		const { attachment: made, wire } = await connected(`${name}-3`);
		agent.journal.put(made);
		const index = findLink(node.host.route, made.device)?.index;
		await agent.abandon();
		// It resumes what is in the journal.
		agent = await startAgent(node);
		expect(findLink(node.host.route, made.device)?.index).toBe(index);
		await reachesGateway(wire, made, behind);
		expect(agent.modes[name].describe(made).faults).toEqual([]);
	});

	it.each(['connected', 'prepared', 'untouched'] as const)('leaves nothing when it disconnects what was %s, twice', async (state) => {
		const made = state === 'connected' ? await connected(`${name}-${state}`) : attachment(`${name}-${state}`);
		if (state === 'prepared') await agent.modes[name].prepare(made.attachment);
		for (let twice = 0; twice < 2; twice++) await agent.modes[name].disconnect(made.attachment, patiently());
		expect(traces(made.attachment)).toEqual([]);
	});

	it('disconnects when the sandbox has gone before', async () => {
		const { attachment: made, sandbox, mode } = await connected(`${name}-gone`);
		sandbox.remove();
		await mode.disconnect(made, patiently());
		expect(findLink(node.host.route, made.device)).toBeUndefined();
		expect(agent.bridge.port(made.device)).toBeUndefined();
	});

	it('refuses an interface that is there already, and a sandbox that is not', async () => {
		const taken = attachment(`${name}-taken`);
		using namespace = Namespace.open(taken.sandbox.path);
		using route = openRoute(namespace);
		createBridge(route, { name: 'eth0' });
		await expect(agent.modes[name].prepare(taken.attachment)).rejects.toMatchObject({ code: 'LINUX_EEXIST' });
		const lost = attachment(`${name}-lost`);
		lost.sandbox.remove();
		await expect(agent.modes[name].prepare(lost.attachment)).rejects.toMatchObject({ code: 'AGENT_SANDBOX' });
	});
});

describe('attachment mode tap', () => {
	const nodePath = () => `/run/netns/${node.name}`;

	/** Deletes a tap beside a switch that is busy, and so sees all changes at once, until the agent has made it anew. What is returned lets the switch go on. */
	async function madeAnewBesideBusySwitch(device: string): Promise<() => void> {
		const { index } = getLink(node.host.route, device);
		const again = untilLink(nodePath(), device, (link) => link !== undefined && link.index !== index && link.up);
		const vswitchd = Number(readFileSync(join(node.dir, 'ovs-vswitchd.pid'), 'utf8'));
		process.kill(vswitchd, 'SIGSTOP');
		runIn(nodePath(), ['ip', 'link', 'delete', device]);
		await again;
		return () => process.kill(vswitchd, 'SIGCONT');
	}

	function onNode(name: string): Attachment {
		const port = portOf(`${name}.default`, nextHost++);
		makeLogicalPort(node, port);
		const pod = { namespace: 'default', name, uid: '' };
		return {
			containerId: name,
			ifname: 'eth0',
			network: '',
			netns: '',
			pod,
			mode: 'tap',
			device: `vmt-${name}`,
			port,
			queues: 1,
			complete: true,
		};
	}

	it('has a tap in the switch before the VMM is there, and makes it anew when somebody deletes it', async () => {
		const made = onNode('host-1');
		const { tap } = agent.modes;
		await tap.prepare(made);
		await tap.connect(made, patiently());
		expect(tap.describe(made)).toEqual({ path: [made.device, 'br-int'], connected: true, faults: [] });
		const wire = await opened(nodePath(), made.device);
		await reachesGateway(wire, made, undefined);
		const resumeSwitch = await madeAnewBesideBusySwitch(made.device);
		node.vsctl('list-ports', 'br-int');
		resumeSwitch();
		const next = await opened(nodePath(), made.device);
		await reachGateway(next, endOf(made));
		for (let twice = 0; twice < 2; twice++) await tap.disconnect(made, patiently());
		expect(findLink(node.host.route, made.device)).toBeUndefined();
		expect(agent.bridge.port(made.device)).toBeUndefined();
	});

	it('leaves nothing when it is disconnected while its tap is made anew', async () => {
		const [made, other] = [onNode('host-3'), onNode('host-4')];
		const { tap } = agent.modes;
		await tap.prepare(made);
		await tap.connect(made, patiently());
		const resumeSwitch = await madeAnewBesideBusySwitch(made.device);
		await tap.disconnect(made, patiently());
		resumeSwitch();
		// The port of the one would have come before that of the other.
		await tap.prepare(other);
		await tap.connect(other, patiently());
		expect(findLink(node.host.route, made.device)).toBeUndefined();
		expect(agent.bridge.port(made.device)).toBeUndefined();
		await tap.disconnect(other, patiently());
	});

	it('refuses a launcher that is not in the network of the node', async () => {
		const made = { ...onNode('host-2'), netns: '/run/netns/somewhere' };
		await expect(agent.modes.tap.prepare(made)).rejects.toMatchObject({ code: 'AGENT_HOST_NETWORK' });
		expect(findLink(node.host.route, made.device)).toBeUndefined();
	});
});

it('does not take a port of vhost-user that Open vSwitch would accept and leave dead', async () => {
	const port = portOf('nodpdk.default', nextHost++);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name: 'nodpdk' }, { kind: 'machine', port, queues: 1, mode: 'vhost-user' });
	const answer = await agent.call('ADD', { containerId: 'nodpdk', sandbox: node.sandbox('nodpdk') });
	expect(answer.json).toMatchObject({ code: 50, details: expect.stringContaining('Open vSwitch runs without DPDK') });
	expect(node.vsctl('list-ports', 'br-int')).not.toContain('vhu');
});

it('refuses a mode for which the node lacks something, naming it and what would work', async () => {
	await agent.abandon();
	agent = await startAgent(node, { exists: (path) => !path.endsWith('/passt') });
	const port = portOf('lacking.default', nextHost++);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name: 'lacking' }, { kind: 'machine', port, queues: 1, mode: 'passt' });
	const sandbox = node.sandbox('lacking');
	const answer = await agent.call('ADD', { containerId: 'lacking', sandbox });
	expect(answer.json).toMatchObject({
		code: 50,
		msg: 'this node cannot connect a machine by passt',
		details: expect.stringMatching(/^passt is not installed \(Debian: passt\) \(fix: .*use one of lift, tap, bridge, .*slirp\)$/),
	});
	expect(sandbox.run('ip', '-brief', 'link').stdout).not.toContain('eth0');
	expect(agent.journal.get({ containerId: 'lacking', ifname: 'eth0' })).toBeUndefined();
});

/** The workload asks for the gateway's hardware address, and OVN answers; from behind NAT it pings the gateway. */
async function reachesGateway(wire: Wire, attachment: Attachment, behind: Mode['behind']): Promise<void> {
	const self = behind?.self ?? endOf(attachment);
	const mac = await askGateway(wire, self, behind?.gateway.ip);
	if (!behind) return expect(mac).toBe('0a0000000001');
	const answer = wire.receive((frame) => isEchoReply(frame, gateways.v4));
	wire.send(echoRequest(self, { mac: behind.gateway.mac, ip: gateways.v4 }));
	await within(`an echo reply of ${gateways.v4} to ${self.ip}`, answer);
}

const endOf = ({ port }: Attachment): End => ({ mac: port.mac, ip: port.addresses[0]?.address.split('/')[0] ?? '' });

function aliasOf({ netns, ifname }: Attachment): string | undefined {
	using namespace = Namespace.open(netns);
	using route = openRoute(namespace);
	return findLink(route, ifname)?.alias;
}

function traces({ device, netns }: Attachment): readonly string[] {
	using namespace = Namespace.open(netns);
	using route = openRoute(namespace);
	return [
		...(findLink(node.host.route, device) ? ['device on the node'] : []),
		...(agent.bridge.port(device) ? ['port of the switch'] : []),
		...listLinks(route).flatMap((link) => (link.name === 'lo' ? [] : [link.name])),
		...runIn(netns, ['nft', 'list', 'tables'])
			.stdout.split('\n')
			.filter((line) => line !== ''),
	];
}
