import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { createInterface } from 'node:readline';
import { parseCidr, parseIp } from '@tapestry/base';
import { addAddress, createVeth, getLink, openRoute, replaceRoute, setLink, setNetworkSettings } from '@tapestry/linux';
import { type TestNamespace, testNamespace } from '@tapestry/linux/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseInterfaceAddress } from '../attach/sandbox-side.ts';
import { nodeProgram } from '../testing/mini-node.ts';
import { createRuleLoader } from './load-rules.ts';
import { nodeDevice } from './node-port.ts';
import type { NodeService, TransportAddress } from './node-services.ts';
import { nodeRuleset } from './ruleset.ts';
import { type Ruleset, transaction } from './ruleset-change.ts';

const program = nodeProgram(joinPath(import.meta.dirname, '..', 'testing', 'who-program.ts'));
const joinAddresses = { 4: '100.64.0.2', 6: 'fd00:100:64::2' } as const;
const nodeAddresses = { 4: '192.0.2.1', 6: 'fd00:192::1' } as const;
const clusterIp = { 4: '10.96.0.9', 6: 'fd00:10:96::9' } as const;
const balancer = { 4: '203.0.113.8', 6: 'fd00:203::8' } as const;
const serviceCidrs = [
	{ family: 4, cidr: '10.96.0.0/16' },
	{ family: 6, cidr: 'fd00:10:96::/112' },
] as const;
const podOne = { 4: { address: '10.16.0.16', port: 8080 }, 6: { address: 'fd00:10:16::10', port: 8080 } } as const;
const podTwo = { 4: { address: '10.16.0.17', port: 8081 }, 6: { address: 'fd00:10:16::11', port: 8081 } } as const;
const outsider = { 4: { address: '192.0.2.2', port: 6443 }, 6: { address: 'fd00:192::2', port: 6443 } } as const;

let node: TestNamespace;
let pods: TestNamespace;
let outside: TestNamespace;
let dir: string;
let rules: { readonly look: (wanted: Ruleset) => Promise<void> };
const servers: ChildProcess[] = [];

/** A cable between the node and another namespace, with addresses at both ends. */
function connect(other: TestNamespace, device: string, own: readonly string[], others: readonly string[]): void {
	using route = openRoute(node.namespace);
	using otherRoute = openRoute(other.namespace);
	createVeth(route, { name: device, peer: { name: 'eth0', namespace: other.namespace } });
	for (const [socket, { namespace }, name, addresses] of [
		[route, node, device, own],
		[otherRoute, other, 'eth0', others],
	] as const) {
		setNetworkSettings(namespace, { [`ipv6/conf/${name}/accept_dad`]: 0 });
		for (const link of ['lo', name]) setLink(socket, link, { up: true });
		for (const address of addresses) addAddress(socket, getLink(socket, name).index, parseInterfaceAddress({ address }));
	}
}

async function serve(where: TestNamespace, name: string, { address, port }: TransportAddress): Promise<void> {
	const args = [`--net=${where.path}`, ...program, 'serve', name, address, `${port}`];
	const server = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
	servers.push(server);
	await once(createInterface(server.stdout), 'line');
}

const asking = (protocol: string, address: string, port: number, from = node) => [
	...[`--net=${from.path}`, ...program, 'ask', protocol, address, `${port}`],
];

/** What the node hears at the cluster IP. */
function ask(protocol: 'tcp' | 'udp', family: 4 | 6, address: string = clusterIp[family], port = 80, from = node): string {
	const options = { encoding: 'utf8', input: 'who\n', timeout: 20_000 } as const;
	return (
		spawnSync('nsenter', asking(protocol, address, port, from), options)
			.stdout.trim()
			.split('\n')
			.at(-1) ?? ''
	);
}

function publish(
	protocol: 'tcp' | 'udp',
	family: 4 | 6,
	endpoints: readonly TransportAddress[],
	more: Partial<NodeService> = {},
): Promise<void> {
	const service: NodeService = {
		name: `default/web/${protocol}`,
		family,
		protocol,
		clusterIps: [clusterIp[family]],
		externalIps: [],
		port: 80,
		nodePort: undefined,
		endpoints,
		local: endpoints,
		isSticky: false,
		internal: 'Cluster',
		external: 'Cluster',
		...more,
	};
	const addresses = [{ address: `${joinAddresses[4]}/16` }, { address: `${joinAddresses[6]}/112` }];
	const port = { name: 'node-n1', ownerUid: 'u1', mac: '02:58:64:40:00:02', addresses, mtu: 1442, subnet: 'join' };
	// Mostly as changes of what was there.
	return rules.look(nodeRuleset({ port, masquerade: [], services: serviceCidrs }, [service]));
}

beforeAll(async () => {
	[node, pods, outside] = [testNamespace('node'), testNamespace('pods'), testNamespace('out')];
	dir = mkdtempSync(joinPath(tmpdir(), 'tpt-rules-'));
	const load = createRuleLoader({ file: joinPath(dir, 'rules.json'), prefix: ['nsenter', `--net=${node.path}`] });
	let loaded: Ruleset | undefined;
	rules = {
		async look(wanted) {
			const change = transaction(loaded, wanted);
			if (change !== undefined) await load(change);
			loaded = wanted;
		},
	};
	const podAddresses = [...Object.values(podOne), ...Object.values(podTwo)].map(
		({ address }) => `${address}/${address.includes(':') ? 128 : 32}`,
	);
	connect(pods, nodeDevice, ['100.64.0.2/16', 'fd00:100:64::2/112'], ['100.64.0.1/16', 'fd00:100:64::1/112', ...podAddresses]);
	// The world outside has no way back to the join network.
	connect(outside, 'nic', ['192.0.2.1/24', 'fd00:192::1/64'], ['192.0.2.2/24', 'fd00:192::2/64']);
	using route = openRoute(node.namespace);
	for (const [cidr, gateway] of [
		['10.16.0.0/16', '100.64.0.1'],
		['10.96.0.0/16', '100.64.0.1'],
		['fd00:10:16::/112', 'fd00:100:64::1'],
		['fd00:10:96::/112', 'fd00:100:64::1'],
	] as const) {
		const [destination, via] = [parseCidr(cidr)!, parseIp(gateway)!];
		replaceRoute(route, { family: destination.family, destination, gateway: via, link: getLink(route, nodeDevice).index });
	}
	setNetworkSettings(node.namespace, { 'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1 });
	using podRoute = openRoute(pods.namespace);
	using outerRoute = openRoute(outside.namespace);
	for (const [socket, device, cidr, gateway] of [
		[podRoute, 'eth0', '0.0.0.0/0', '100.64.0.2'],
		[podRoute, 'eth0', '::/0', 'fd00:100:64::2'],
		[outerRoute, 'eth0', '203.0.113.0/24', '192.0.2.1'],
		[outerRoute, 'eth0', 'fd00:203::/64', 'fd00:192::1'],
		[route, 'nic', '203.0.113.0/24', '192.0.2.2'],
		[route, 'nic', 'fd00:203::/64', 'fd00:192::2'],
	] as const) {
		const [destination, via] = [parseCidr(cidr)!, parseIp(gateway)!];
		replaceRoute(socket, { family: destination.family, destination, gateway: via, link: getLink(socket, device).index });
	}
	await Promise.all(
		([4, 6] as const).flatMap((family) => [
			serve(pods, 'one', podOne[family]),
			serve(pods, 'two', podTwo[family]),
			serve(outside, 'outside', outsider[family]),
		]),
	);
});
afterAll(() => {
	for (const server of servers) server.kill('SIGKILL');
	for (const namespace of [node, pods, outside]) namespace?.[Symbol.dispose]();
	if (dir) rmSync(dir, { recursive: true, force: true });
});

const cases = [
	['tcp', 4],
	['tcp', 6],
	['udp', 4],
	['udp', 6],
] as const;
describe.each(cases)('a cluster IP from its node, %s over IPv%s', (protocol, family) => {
	beforeEach(() => publish(protocol, family, []));

	it('reaches a pod, which sees the join address', async () => {
		await publish(protocol, family, [podOne[family]]);
		expect(ask(protocol, family)).toBe(`one ${joinAddresses[family]}`);
	});

	it("reaches an endpoint outside, which sees the node's address", async () => {
		await publish(protocol, family, [outsider[family]]);
		expect(ask(protocol, family)).toBe(`outside ${nodeAddresses[family]}`);
	});

	it('reaches all endpoints, each at its own port', async () => {
		await publish(protocol, family, [podOne[family], podTwo[family]]);
		const heard = new Set<string>();
		// Missing one of two in 40 fair choices happens once in half a trillion runs.
		for (let i = 0; i < 40 && heard.size < 2; i++) heard.add(ask(protocol, family));
		expect([...heard].sort()).toEqual([`one ${joinAddresses[family]}`, `two ${joinAddresses[family]}`]);
	});

	it('refuses at once while nobody is ready', () => {
		expect(ask(protocol, family)).toBe('refused');
	});

	it('keeps a connection whose rules are replaced', async () => {
		await publish(protocol, family, [podOne[family]]);
		const client = spawn('nsenter', asking(protocol, clusterIp[family], 80), { stdio: ['pipe', 'pipe', 'inherit'] });
		servers.push(client);
		const lines = createInterface(client.stdout)[Symbol.asyncIterator]();
		const next = async () => (await lines.next()).value;
		expect(await next()).toBe('connected');
		client.stdin.write('who\n');
		expect(await next()).toBe(`one ${joinAddresses[family]}`);
		await publish(protocol, family, [podTwo[family]]);
		client.stdin.end('who\n');
		expect(await next()).toBe(`one ${joinAddresses[family]}`);
		// A datagram may leave from a port whose earlier exchange the node still remembers; that is not the case of three ports.
		const strangers = Array.from({ length: 3 }, () => ask(protocol, family));
		expect(strangers.filter((answer) => answer === `two ${joinAddresses[family]}`).length).toBeGreaterThanOrEqual(2);
	});
});

describe.each([cases[0], cases[3]])('a service at its node, %s over IPv%s', (protocol, family) => {
	it('is reached from outside at a port of the node and at outer addresses; the pod sees the join address', async () => {
		await publish(protocol, family, [podOne[family]], { externalIps: [balancer[family]], nodePort: 30080 });
		expect(ask(protocol, family, nodeAddresses[family], 30080, outside)).toBe(`one ${joinAddresses[family]}`);
		expect(ask(protocol, family, balancer[family], 80, outside)).toBe(`one ${joinAddresses[family]}`);
		expect(ask(protocol, family, nodeAddresses[family], 30080)).toMatch(/^one /);
		expect(ask(protocol, family, balancer[family], 80)).toBe(`one ${joinAddresses[family]}`);
	});

	it('leads strangers to endpoints here with their own address, or nowhere, where that is asked', async () => {
		const local = { nodePort: 30080, external: 'Local' } as const;
		await publish(protocol, family, [podOne[family]], local);
		expect(ask(protocol, family, nodeAddresses[family], 30080, outside)).toBe(`one ${outsider[family].address}`);
		await publish(protocol, family, [], local);
		expect(ask(protocol, family, nodeAddresses[family], 30080, outside)).toBe('refused');
	});

	it('leads to endpoints here only, also pods whose packets come by, where that is asked', async () => {
		await publish(protocol, family, [podOne[family], podTwo[family]], { internal: 'Local', local: [podTwo[family]] });
		for (let i = 0; i < 2; i++) expect(ask(protocol, family)).toBe(`two ${joinAddresses[family]}`);
		expect(ask(protocol, family, clusterIp[family], 80, pods)).toBe(`two ${joinAddresses[family]}`);
		await publish(protocol, family, [podOne[family]], { internal: 'Local', local: [] });
		expect(ask(protocol, family)).toBe('refused');
		expect(ask(protocol, family, clusterIp[family], 81, pods)).toBe('refused');
	});

	it('keeps a client at one endpoint where that is asked', async () => {
		await publish(protocol, family, [podOne[family], podTwo[family]], { isSticky: true });
		expect(new Set(Array.from({ length: 4 }, () => ask(protocol, family))).size).toBe(1);
	});
});
