import { join as joinPath } from 'node:path';
import { parseCidr, silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { addAddress, createVeth, getLink, LinkMonitor, Namespace, openRoute, setLink } from '@tapestry/linux';
import { untilLink } from '@tapestry/linux/testing';
import type { IpLease, Subnet } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../../../base/src/testing/until.ts';
import { parseInterfaceAddress } from '../attach/sandbox-side.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { gateways, join, makeJoinNetwork, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, runIn, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { talk } from '../testing/talk.ts';
import { createRuleLoader } from './load-rules.ts';
import { nodeNetwork } from './node-network.ts';
import { NodePort, nodeDevice } from './node-port.ts';
import { NodeRules } from './node-rules.ts';
import { nodeRuleset } from './ruleset.ts';
import { type Ruleset, transaction } from './ruleset-change.ts';

const mac = '02:58:64:40:00:02';
const subnet = (name: string, cidrBlock: string, gateway: string, natOutgoing: boolean): Subnet => ({
	metadata: { name },
	spec: { cidrBlock, gateway, natOutgoing, vpc: 'ovn-cluster' },
});
const joinSubnet = subnet('join', '100.64.0.0/16,fd00:100:64::/112', `${join.v4},${join.v6}`, false);
const pods = (natOutgoing: boolean) => subnet('ovn-default', '10.16.0.0/16,fd00:10:16::/112', `${gateways.v4},${gateways.v6}`, natOutgoing);

let node: MiniNode;
let agent: AgentUnderTest;
let pod: Sandbox;
let outside: Sandbox;
let monitor: LinkMonitor;
let nodePort: NodePort;
let nodeRules: NodeRules<Ruleset>;
let subnets = [joinSubnet, pods(true)];

const onNode = (...command: readonly string[]) => runIn(`/run/netns/${node.name}`, command);

function network() {
	const lease: IpLease = {
		metadata: { name: `node-${node.name}`, labels: { 'tapestry.io/owner-uid': `uid-of-node-${node.name}` } },
		spec: { subnet: 'join', v4IpAddress: join.nodeV4, v6IpAddress: join.nodeV6, macAddress: mac.toUpperCase() },
	};
	return nodeNetwork(lease, subnets, { mtu: 1442, serviceCidrs: [parseCidr('10.96.0.0/16')!] });
}

const startNodePort = () =>
	new NodePort({ clock: systemClock, log: silentLogger, host: node.host, bridge: agent.bridge, monitor, wanted: network });

function startNodeRules(): NodeRules<Ruleset> {
	const prefix = ['nsenter', `--net=/run/netns/${node.name}`];
	return new NodeRules<Ruleset>({
		clock: systemClock,
		log: silentLogger,
		change: transaction,
		load: createRuleLoader({ file: joinPath(node.dir, 'rules.json'), prefix }),
		synced: () => Promise.resolve(),
		wanted: () => {
			const known = network();
			return known && nodeRuleset(known, []);
		},
	});
}

/** A machine outside the cluster, at the node's NIC. It knows no way back to the pods. */
function connectOutside(): Sandbox {
	const sandbox = node.sandbox('outside');
	using namespace = Namespace.open(sandbox.path);
	using route = openRoute(namespace);
	createVeth(node.host.route, { name: 'nic', peer: { name: 'eth0', namespace } });
	for (const [socket, device, addresses] of [
		[node.host.route, 'nic', ['192.0.2.1/24', 'fd00:192::1/64']],
		[route, 'eth0', ['192.0.2.2/24', 'fd00:192::2/64']],
	] as const) {
		setLink(socket, device, { up: true });
		for (const address of addresses) addAddress(socket, getLink(socket, device).index, parseInterfaceAddress({ address }));
	}
	return sandbox;
}

beforeAll(async () => {
	node = await startMiniNode('node');
	makeNetwork(node);
	makeJoinNetwork(node, `node-${node.name}`, mac);
	agent = await startAgent(node);
	const port = portOf('a.default', 16);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name: 'a' }, { kind: 'pod', port });
	pod = node.sandbox('a');
	await agent.call('ADD', { containerId: 'a', sandbox: pod });
	outside = connectOutside();
	monitor = new LinkMonitor();
	nodePort = startNodePort();
	nodeRules = startNodeRules();
	await Promise.all([untilInstalled(), nodeRules.look()]);
});
afterAll(async () => {
	await nodeRules?.[Symbol.asyncDispose]();
	await nodePort?.[Symbol.asyncDispose]();
	monitor?.[Symbol.dispose]();
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

async function untilInstalled(): Promise<void> {
	await agent.installed(nodeDevice);
	await untilLink(`/run/netns/${node.name}`, nodeDevice, (link) => link?.up === true);
}

describe("the node's port", () => {
	const nodePath = () => `/run/netns/${node.name}`;

	it('lets the node reach pods and pods reach the node, in both families and over TCP', async () => {
		for (const address of ['10.16.0.16', 'fd00:10:16::10', gateways.v4]) {
			expect(onNode('ping', '-c1', '-W10', address).stdout, address).toContain('1 received');
		}
		for (const address of [join.nodeV4, join.nodeV6])
			expect(pod.run('ping', '-c1', '-W10', address).stdout, address).toContain('1 received');
		expect(await talk(pod.path, nodePath(), '10.16.0.16')).toBe(join.nodeV4);
		expect(await talk(nodePath(), pod.path, join.nodeV4)).toBe('10.16.0.16');
		expect(await talk(nodePath(), pod.path, join.nodeV6)).toBe('fd00:10:16::10');
	});

	it("sends what leaves the cluster out with the node's address, in both families", async () => {
		expect(await talk(outside.path, pod.path, '192.0.2.2')).toBe('192.0.2.1');
		expect(await talk(outside.path, pod.path, 'fd00:192::2')).toBe('fd00:192::1');
	});

	it('translates nothing for a subnet without natOutgoing', async () => {
		subnets = [joinSubnet, pods(false)];
		await nodeRules.look();
		// The machine outside has no way back.
		expect(pod.run('ping', '-c1', '-W1', '192.0.2.2').stdout).toContain('0 received');
		expect(onNode('nft', 'list', 'ruleset').stdout).not.toContain('10.16.0.0/16');
		subnets = [joinSubnet, pods(true)];
		await nodeRules.look();
		expect(pod.run('ping', '-c1', '-W10', '192.0.2.2').stdout).toContain('1 received');
	});

	it('is left alone by an agent that starts anew', async () => {
		const before = { link: getLink(node.host.route, nodeDevice), addresses: onNode('ip', 'addr', 'show', nodeDevice).stdout };
		await nodePort[Symbol.asyncDispose]();
		const changed: (string | undefined)[] = [];
		const seen = Promise.withResolvers<void>();
		const stop = monitor.watch(node.host.namespace, (event) => {
			changed.push(event.type === 'missed' ? undefined : event.link.name);
			if (changed.at(-1) === 'nic') seen.resolve();
		});
		nodePort = startNodePort();
		await nodePort.look();
		// Events come in order: what the agent has changed is known when this is.
		setLink(node.host.route, 'nic', { alias: 'a note' });
		await within('the event of another device', seen.promise);
		stop();
		expect(changed).toEqual(['nic']);
		expect({ link: getLink(node.host.route, nodeDevice), addresses: onNode('ip', 'addr', 'show', nodeDevice).stdout }).toEqual(before);
	});

	it('gets back what somebody took away', async () => {
		setLink(node.host.route, nodeDevice, { up: false });
		await untilLink(nodePath(), nodeDevice, (link) => link?.up === true);
		// Routes go with the interface's state and come back with it.
		expect(onNode('ping', '-c1', '-W10', '10.16.0.16').stdout).toContain('1 received');
	});
});
