import { findLink } from '@tapestry/linux';
import { untilLink } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mirrorDevice } from '../switch/port-mirror.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { type Capture, startCapture } from '../testing/capture.ts';
import { makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, runIn, type Sandbox, startMiniNode } from '../testing/mini-node.ts';

let node: MiniNode;
let agent: AgentUnderTest;
const boxes: Sandbox[] = [];
const hosts = { a: 5, b: 6, c: 7 } as const;
type Pod = keyof typeof hosts;
const v4 = (pod: Pod) => `10.16.0.${hosts[pod]}`;
const v6 = (pod: Pod) => `fd00:10:16::${hosts[pod]}`;
const box = (pod: Pod): Sandbox => boxes[hosts[pod] - hosts.a]!;
/** Twice, under two names: of several packets ping(8) waits for the last no longer than for those before. */
function ping(from: Pod, address: string): void {
	for (const id of ['1', '2']) expect(box(from).run('ping', '-n', '-c', '1', '-W', '10', '-e', id, address)).toMatchObject({ status: 0 });
}

const attach = (name: Pod) => agent.call('ADD', { containerId: name, sandbox: box(name) });

beforeAll(async () => {
	node = await startMiniNode('mirrors');
	makeNetwork(node);
	agent = await startAgent(node);
	for (const [name, host] of Object.entries(hosts)) {
		const port = portOf(`${name}.default`, host);
		makeLogicalPort(node, port);
		boxes.push(node.sandbox(name));
		agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port });
		expect((await attach(name as Pod)).ok).toBe(true);
	}
});
afterAll(async () => {
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

/** The device is there, and all that passes is copied to it. */
async function isUp(): Promise<void> {
	await untilLink(`/run/netns/${node.name}`, mirrorDevice, (link) => link?.up === true);
	node.revalidate();
}
const isGone = () => untilLink(`/run/netns/${node.name}`, mirrorDevice, (link) => link === undefined);
const mirrorNames = () => node.vsctl('--bare', '--columns=name', 'list', 'Mirror').split('\n').filter(Boolean).sort();
const echoes = ({ lines }: Capture) => lines.filter((line) => /echo re(quest|ply)/.test(line));
/** Pings, and waits until the mirror has shown the last answer. */
async function seen(pings: readonly (readonly [Pod, string])[], last: RegExp): Promise<readonly string[]> {
	await using capture = await startCapture(`/run/netns/${node.name}`, mirrorDevice);
	for (const [from, to] of pings) ping(from, to);
	await capture.until(last);
	return echoes(capture);
}

describe('the mirror of a node', () => {
	it('shows what a port sends and receives, in both families, once, and nothing of another port', async () => {
		await agent.mirror(['a.default']);
		await isUp();
		const shown = await seen(
			[
				['b', v4('c')],
				['b', v6('c')],
				['a', v4('b')],
				['a', v6('b')],
				['c', v6('a')],
				['c', v4('a')],
			],
			new RegExp(`${v4('a')} > ${v4('c')}: ICMP echo reply, id 2,`),
		);
		// Four pings of two requests, each with its reply.
		expect(shown).toHaveLength(16);
		for (const line of shown) expect(line).toMatch(new RegExp(`${v4('a')} |${v6('a')} |${v4('a')}:|${v6('a')}:`));
	});

	it('is silent itself: the node has no address there and answers no ARP', () => {
		expect(runInNode('ip', 'address', 'show', 'dev', mirrorDevice)).toMatch(/NOARP/);
		expect(runInNode('ip', 'address', 'show', 'dev', mirrorDevice)).not.toMatch(/inet/);
		expect(node.vsctl('get', 'Interface', mirrorDevice, 'error').trim()).toBe('[]');
	});

	it('stays over a restart of the agent, of Open vSwitch, and of the port, and is made again when somebody removes it', async () => {
		const index = findLink(node.host.route, mirrorDevice)?.index;
		await agent.abandon();
		agent = await startAgent(node);
		await agent.mirror(['a.default']);
		expect(findLink(node.host.route, mirrorDevice)).toMatchObject({ index, up: true });
		expect(mirrorNames()).toEqual(['m0']);
		node.vsctl('clear', 'Bridge', 'br-int', 'mirrors');
		await node.restart('ovs-vswitchd');
		const port = portOf('a.default', hosts.a);
		agent.workloads.set({ namespace: 'default', name: 'a' }, { kind: 'pod', port });
		await agent.call('DEL', { containerId: 'a', sandbox: box('a') });
		expect((await attach('a')).ok).toBe(true);
		await agent.mirror(['a.default']);
		await isUp();
		const shown = await seen([['a', v4('c')]], new RegExp(`${v4('c')} > ${v4('a')}: ICMP echo reply, id 2,`));
		expect(shown).toHaveLength(4);
	});

	it('shows at once what has been flowing before: of a port that is mirrored beside others, and without it no more', async () => {
		await agent.mirror(['a.default']);
		await isUp();
		// The datapath has flows for these, and they stay.
		for (const address of [v4('c'), v6('c')]) ping('b', address);
		await agent.mirror(['a.default', 'b.default']);
		node.revalidate();
		const shown = await seen(
			[
				['b', v4('c')],
				['b', v6('c')],
			],
			new RegExp(`${v6('c')} > ${v6('b')}: .*echo reply, id 2,`),
		);
		expect(shown).toHaveLength(8);
		await agent.mirror(['a.default']);
		node.revalidate();
		const without = await seen(
			[
				['b', v4('c')],
				['a', v4('c')],
			],
			new RegExp(`${v4('c')} > ${v4('a')}: ICMP echo reply, id 2,`),
		);
		expect(without).toHaveLength(4);
	});

	it('shows several ports, leaves the mirrors of others alone, and is gone with the last of its own', async () => {
		node.vsctl('--id=@m', 'create', 'Mirror', 'name=theirs', '--', 'add', 'Bridge', 'br-int', 'mirrors', '@m');
		await agent.mirror(['a.default', 'b.default', 'not.here']);
		await isUp();
		// What one sends the other receives: one packet.
		const shown = await seen([['a', v4('b')]], new RegExp(`${v4('b')} > ${v4('a')}: ICMP echo reply, id 2,`));
		expect(shown).toHaveLength(4);
		await agent.mirror(['b.default']);
		await agent.call('DEL', { containerId: 'b', sandbox: box('b') });
		await isGone();
		expect(mirrorNames()).toEqual(['theirs']);
		await agent.mirror([]);
		expect(node.vsctl('list-ports', 'br-int')).not.toContain(mirrorDevice);
		const chains = runInNode('nft', 'list', 'chains');
		expect(chains).not.toContain(mirrorDevice);
	});
});

const runInNode = (...command: readonly string[]): string => runIn(`/run/netns/${node.name}`, command).stdout;
