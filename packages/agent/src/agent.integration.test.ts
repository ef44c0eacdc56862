import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { crdsEstablished, createKubeClient, customResourceDefinitions, type KubeConnection, keyOf, type Pod, pods } from '@tapestry/kube';
import { findLink } from '@tapestry/linux';
import { untilLink } from '@tapestry/linux/testing';
import { annotations, customResourceDefinitions as definitions, ipResource, labels, subnetResource } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// The other half of the conversation; only tests may start it.
import { startTestApiServer, type TestApiServer } from '../../apiserver/src/testing/server.ts';
import { patiently } from '../../base/src/testing/until.ts';
import { type OvsdbProxy, startProxy } from '../../ovsdb/src/testing/proxy.ts';
import { deviceName } from './attach/attachment.ts';
import { nodeDevice } from './node/node-port.ts';
import { type AgentProgram, startAgentProgram } from './testing/agent-program.ts';
import { gateways, join, makeJoinNetwork, makeLogicalPort, makeNetwork, portOf } from './testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from './testing/mini-node.ts';
import { nativePlugin, type PluginHost, type PluginRun } from './testing/plugin-hosts.ts';

let node: MiniNode;
let api: TestApiServer;
let client: KubeConnection;
let agent: AgentProgram;
let proxy: OvsdbProxy;
let plugin: PluginHost;
let nextHost = 16;
const nodeMac = '02:58:64:40:00:02';

beforeAll(async () => {
	plugin = nativePlugin();
	[node, api] = await Promise.all([startMiniNode('agent'), startTestApiServer()]);
	makeNetwork(node);
	const nodePort = `node-${node.name}`;
	makeJoinNetwork(node, nodePort, nodeMac);
	const deps = { clock: systemClock, random: Math.random, log: silentLogger };
	client = createKubeClient(deps, { kubeconfig: api.kubeconfig });
	const crds = definitions();
	await Promise.all(crds.map((crd) => client.create(customResourceDefinitions, crd)));
	await crdsEstablished({ ...deps, client }, crds.map(keyOf), patiently());
	const subnet = (name: string, cidrBlock: string, gateway: string, natOutgoing: boolean) =>
		client.create(subnetResource, { metadata: { name }, spec: { vpc: 'ovn-cluster', cidrBlock, gateway, natOutgoing } });
	await subnet('ovn-default', '10.16.0.0/16,fd00:10:16::/112', `${gateways.v4},${gateways.v6}`, true);
	await subnet('join', '100.64.0.0/16,fd00:100:64::/112', `${join.v4},${join.v6}`, false);
	await lease(nodePort, { kind: 'Node', namespace: '', name: node.name, uid: `uid-of-${nodePort}` }, [
		join.nodeV4,
		join.nodeV6,
		nodeMac,
		'join',
	]);
	// While it starts, the API tells its news long before the switch answers.
	let latencyMs = 300;
	proxy = await startProxy(`${node.dir}/slow.sock`, `${node.dir}/db.sock`, () => latencyMs);
	agent = await startAgentProgram(node, api, proxy.endpoint);
	latencyMs = 0;
});
afterAll(async () => {
	await agent?.kill();
	client?.close();
	await api?.close();
	await proxy?.[Symbol.asyncDispose]();
	await node?.[Symbol.asyncDispose]();
	plugin?.[Symbol.dispose]();
});

interface Owner {
	readonly kind: string;
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
}

async function lease(name: string, owner: Owner, [v4 = '', v6 = '', mac = '', subnet = '']: readonly string[]): Promise<void> {
	await client.create(ipResource, {
		metadata: {
			name,
			labels: { [labels.nodeName]: node.name, [labels.ownerUid]: owner.uid },
			annotations: { [annotations.owner]: `${owner.kind}/${owner.namespace}/${owner.name}` },
		},
		spec: { subnet, v4IpAddress: v4, v6IpAddress: v6, macAddress: mac },
	});
}

interface TestPod {
	readonly name: string;
	readonly sandbox: Sandbox;
	readonly device: string;
	/** The controller's part: lease and logical port. */
	lease(): Promise<void>;
	cni(command: string): Promise<PluginRun>;
}

async function pod(name: string): Promise<TestPod> {
	const host = nextHost++;
	const created: Pod = await client.create(pods, {
		metadata: { name, namespace: 'default' },
		spec: { nodeName: node.name, containers: [{ name: 'c', image: 'none' }] },
	});
	const uid = created.metadata.uid ?? '';
	const port = { ...portOf(`${name}.default`, host), ownerUid: uid };
	const sandbox = node.sandbox(name);
	const config = JSON.stringify({ cniVersion: '1.0.0', name: 'net', type: 'kube-ovn', server_socket: agent.socket });
	return {
		name,
		sandbox,
		device: deviceName('veth', { containerId: name, ifname: 'eth0' }),
		async lease() {
			const [v4 = '', v6 = ''] = port.addresses.map(({ address }) => address.split('/')[0] ?? '');
			makeLogicalPort(node, port);
			await lease(port.name, { kind: 'Pod', namespace: 'default', name, uid }, [v4, v6, port.mac, 'ovn-default']);
		},
		cni: (command) =>
			plugin.run(
				{
					CNI_COMMAND: command,
					CNI_CONTAINERID: name,
					CNI_NETNS: sandbox.path,
					CNI_IFNAME: 'eth0',
					CNI_PATH: '/opt/cni/bin',
					CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_UID=${uid}`,
				},
				config,
			),
	};
}

const pings = (one: TestPod) => one.sandbox.run('ping', '-c1', '-W2', gateways.v4).stdout.includes('1 received');
const onNode = (device: string) => findLink(node.host.route, device);
const nodePath = () => `/run/netns/${node.name}`;

describe('the agent as a program', () => {
	it('attaches a pod when its lease comes over the API, and shows what it did', async () => {
		const a = await pod('a');
		const adding = a.cni('ADD');
		await a.lease();
		const { status, stdout } = await adding;
		expect({ status, result: JSON.parse(stdout) }).toMatchObject({ status: 0, result: { ips: [{ address: '10.16.0.16/16' }, {}] } });
		expect(pings(a)).toBe(true);
		expect(JSON.parse(await agent.page('/ports'))).toMatchObject([
			{ pod: { name: 'a' }, path: ['eth0', a.device, 'br-int'], connected: true, faults: [] },
		]);
		const modes = JSON.parse(await agent.page('/modes')) as Record<string, readonly string[]>;
		expect(modes.lift).toEqual([]);
		expect(modes['vhost-user']).toEqual([expect.stringContaining('Open vSwitch runs without DPDK')]);
		const metrics = await agent.page('/metrics');
		expect(metrics).toContain('tapestry_attach_step_seconds_count{step="add"} 1\n');
		expect(metrics).toMatch(/tapestry_port_transmit_packets_total\{namespace="default",name="a",kind="pod"\} [1-9]/);
	});

	it('plugs the node itself in', async () => {
		await untilLink(nodePath(), nodeDevice, (link) => link?.up === true);
		const b = await pod('b');
		await b.lease();
		expect((await b.cni('ADD')).status).toBe(0);
		expect(b.sandbox.run('ping', '-c1', '-W2', join.nodeV4).stdout).toContain('1 received');
		await expect.poll(() => agent.page('/rules'), { timeout: 20_000 }).toContain('"the join address is known in the VPC only"');
	});

	it('removes attachments while the API is away', async () => {
		const c = await pod('c');
		await c.lease();
		await c.cni('ADD');
		await api.stop();
		try {
			expect(await c.cni('DEL')).toEqual({ status: 0, stdout: '' });
			expect(onNode(c.device)).toBeUndefined();
		} finally {
			await api.restart();
		}
	});

	it('may be killed at any moment: the pods go on, and the next one cleans up', async () => {
		const [d, e] = [await pod('d'), await pod('e')];
		await d.lease();
		await d.cni('ADD');
		// The lease is there, its logical port is not: the ADD hangs between the devices and the flows.
		await lease(
			'e.default',
			{
				kind: 'Pod',
				namespace: 'default',
				name: 'e',
				uid: (await client.get(pods, { namespace: 'default', name: 'e' })).metadata.uid ?? '',
			},
			[...['10.16.0.99', 'fd00:10:16::99', '00:00:00:00:10:99', 'ovn-default']],
		);
		const adding = e.cni('ADD');
		await untilLink(nodePath(), e.device, (link) => link !== undefined);
		await agent.kill();
		expect(JSON.parse((await adding).stdout)).toMatchObject({ code: 11 });
		expect(pings(d)).toBe(true);
		expect(JSON.parse((await d.cni('DEL')).stdout)).toMatchObject({ code: 11 });

		agent = await startAgentProgram(node, api);
		expect(pings(d)).toBe(true);
		expect(onNode(e.device)).toBeUndefined();
		expect(node.vsctl('list-ports', 'br-int').split('\n')).not.toContain(e.device);
		expect(await d.cni('DEL')).toEqual({ status: 0, stdout: '' });
		expect(onNode(d.device)).toBeUndefined();
	});
});
