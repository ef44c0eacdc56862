import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVeth, listLinks, Namespace, openRoute, setLink } from '@tapestry/linux';
import { bridgeServerAddress, type PortAcl, type PortRules } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LauncherUnderTest } from '../../../lab/src/launcher/testing/launcher-under-test.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { startGuest, untilAddresses } from '../testing/guest.ts';
import { gateways, portOf } from '../testing/logical-network.ts';
import { type MiniNode, nodeProgram, runIn, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { steadyPing, unanswered } from '../testing/steady-ping.ts';
import { bytes, digest, source } from '../testing/stream.ts';
import { isVmm } from './vmm.ts';

// A machine whose macvtap is on the node's NIC `uplink`, in whose network there is a router, a host, and a DHCP server that is none of ours.

const mtu = 1442;
const families = [
	['IPv4', 4],
	['IPv6', 6],
] as const;
const port = portOf('direct.default', 16);
const own = { 4: '10.16.0.16', 6: 'fd00:10:16::10' } as const;
const peer = { 4: '10.16.0.5', 6: 'fd00:10:16::5' } as const;

const acl = (direction: PortAcl['direction'], match: string, action: string, priority = 2001): PortAcl => ({
	...{ direction, priority, match, action, isLate: direction === 'from-lport', by: 'NetworkPolicy/default/p', path: 'spec' },
});
const rulesOf = (...acls: readonly PortAcl[]): PortRules => ({
	port: port.name,
	security: [`${port.mac} ${own[4]} ${own[6]}`],
	groups: ['g'],
	sets: { peers_ip4: [peer[4]], peers_ip6: [peer[6]] },
	acls,
});

let node: MiniNode;
let agent: AgentUnderTest;
let network: Sandbox;
let sandbox: Sandbox;
let guest: LauncherUnderTest;
let stranger: { readonly log: () => string; readonly stop: () => Promise<void> };

beforeAll(async () => {
	node = await startMiniNode('macvtap');
	agent = await startAgent(node, { isVmm });
	network = node.sandbox('network');
	{
		using namespace = Namespace.open(network.path);
		createVeth(node.host.route, { name: 'uplink', peer: { name: 'up0', namespace } });
	}
	setLink(node.host.route, 'uplink', { up: true });
	network.run('ip', 'link', 'set', 'lo', 'up');
	network.run('ethtool', '-K', 'up0', 'tx', 'off');
	// The kernel speaks as the first.
	for (const address of [`${peer[4]}/16`, `${gateways.v4}/16`]) network.run('ip', 'address', 'add', address, 'dev', 'up0');
	for (const address of [`${gateways.v6}/112`, `${peer[6]}/112`]) network.run('ip', 'address', 'add', address, 'dev', 'up0', 'nodad');
	network.run('ip', 'link', 'set', 'up0', 'up');
	stranger = await startStranger();
	sandbox = node.sandbox('direct');
}, 60_000);
afterAll(async () => {
	await guest?.[Symbol.asyncDispose]();
	await stranger?.stop();
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

/** A DHCP server of the network, for both families, that also advertises a prefix; it knows a name too. */
async function startStranger() {
	const dir = join(node.dir, 'stranger');
	mkdirSync(dir);
	const log = join(dir, 'log');
	const ranges = ['--dhcp-range=10.16.200.1,10.16.200.9,255.255.0.0', '--dhcp-range=fd00:10:16::200,fd00:10:16::209,112', '--enable-ra'];
	const common = ['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file', '--user=root', '--log-dhcp', '--interface=up0'];
	const names = ['--no-resolv', '--no-hosts', '--address=/host.test/192.0.2.7'];
	const argv = [...common, ...names, `--log-facility=${log}`, `--dhcp-leasefile=${join(dir, 'leases')}`, '--bind-interfaces', ...ranges];
	const server = spawn('nsenter', [`--net=${network.path}`, 'dnsmasq', ...argv], { stdio: 'ignore' });
	const ended = once(server, 'exit');
	return {
		log: () => readFileSync(log, 'utf8'),
		async stop() {
			server.kill('SIGKILL');
			await ended;
		},
	};
}

const call = (command: 'ADD' | 'DEL', more: { readonly pod?: string } = {}) =>
	agent.call(command, { containerId: more.pod ?? 'direct', sandbox, ...more });
const attached = () => agent.journal.get({ containerId: 'direct', ifname: 'eth0' });
const inGuest = async (script: string) => (await guest.exec('sh', '-c', script)).output.trim();
const ping = (address: string, ...more: readonly string[]) => runIn(network.path, ['ping', '-n', '-W', '2', ...more, address]);

/** What answers a datagram from the network. */
function ask(address: string, patienceMs: number): string {
	const program = nodeProgram(join(import.meta.dirname, '../testing/ask-program.ts'));
	return runIn(network.path, [...program, address, '7', 'hello', String(patienceMs)]).stdout;
}

const machine = (parent: string) => ({ kind: 'machine', port, queues: 1, mode: 'macvtap', parent }) as const;

it.each([
	['nowhere', /there is no device nowhere .*use one of lift, tap, bridge, managedtap, masquerade, tcredirect,/],
	['lo', /lo is a loopback or tunnel/],
	['br-int', /br-int belongs to Open vSwitch/],
	['port', /port belongs to switch/],
	['down', /down is down/],
	['narrow', /narrow has MTU 1400, and subnet ovn-default has 1442/],
])('says why a machine cannot be on %s', async (parent, words) => {
	const ip = (...args: readonly string[]) => runIn(`/run/netns/${node.name}`, ['ip', 'link', ...args]);
	ip('add', 'switch', 'type', 'bridge');
	ip('add', 'port', 'type', 'veth', 'peer', 'name', 'down');
	ip('set', 'port', 'master', 'switch');
	ip('add', 'narrow', 'up', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'narrow2');
	agent.workloads.set({ namespace: 'default', name: 'wrong' }, machine(parent));
	const answer = await call('ADD', { pod: 'wrong' });
	expect(answer.json).toMatchObject({ code: 50, details: expect.stringMatching(words) });
	expect(sandbox.run('ip', '-br', 'link').stdout).toMatch(/^lo .*\n$/);
});

it('says that somebody else on the NIC has its address, and that nobody has said its rules, and leaves nothing', async () => {
	agent.workloads.set({ namespace: 'default', name: 'wrong' }, machine('uplink'));
	await using hasty = await startAgentOf({ addMs: 300 });
	hasty.workloads.set({ namespace: 'default', name: 'wrong' }, machine('uplink'));
	const early = await hasty.call('ADD', { containerId: 'wrong', sandbox, pod: 'wrong' });
	expect(early.json).toMatchObject({ details: expect.stringContaining('the controller has not said its rules') });
	const ip = (...args: readonly string[]) => runIn(`/run/netns/${node.name}`, ['ip', 'link', ...args]);
	ip('add', 'link', 'uplink', 'name', 'other', 'address', port.mac, 'up', 'type', 'macvlan', 'mode', 'bridge');
	agent.rules.set(rulesOf());
	const answer = await call('ADD', { pod: 'wrong' });
	expect(answer.json).toMatchObject({ details: expect.stringContaining(`${port.mac} is in use on uplink already`) });
	ip('delete', 'other');
	expect(sandbox.run('ip', '-br', 'link').stdout).toMatch(/^lo .*\n$/);
	expect(sandbox.run('nft', 'list', 'tables').stdout).toBe('');
});

describe("a guest on the node's NIC", () => {
	beforeAll(async () => {
		agent.workloads.set({ namespace: 'default', name: 'direct' }, machine('uplink'));
		expect(await call('ADD')).toMatchObject({ ok: true });
		guest = await startGuest(sandbox, { queues: 1 });
		await guest.running;
		await guest.shown('GUEST READY');
	}, 120_000);

	it('has the addresses of its lease, from us alone, and the full MTU', async () => {
		const said = await inGuest(untilAddresses([`${own[4]}/16`, `${own[6]}/`]));
		expect(said).toContain(`addresses=${own[4]}/16,${own[6]}/`);
		expect(said.split(',')).toHaveLength(2);
		expect(said).toContain(`mtu=${mtu}`);
		expect(await inGuest('dhcpcd -4 -U eth0')).toContain(`dhcp_server_identifier=${bridgeServerAddress}`);
		expect(await inGuest('ip route show default')).toContain(`via ${gateways.v4}`);
		expect(stranger.log()).toContain('started');
		expect(stranger.log()).not.toMatch(/DHCPDISCOVER|DHCPREQUEST|DHCPSOLICIT|DHCPOFFER/);
	});

	it('ADD again is refused and changes nothing', async () => {
		expect((await call('ADD')).json).toMatchObject({ code: 100 });
		expect(agent.modes.macvtap.describe(attached()!)).toEqual({ path: ['tap0', 'uplink'], connected: true, faults: [] });
	});

	it.each(families)('answers full-sized packets that may not be split, streams and datagrams: %s', (_, family) => {
		// The guest may still be looking whether anybody else has its address.
		expect(ping(own[family], '-c', '1', '-w', '20').status).toBe(0);
		const payload = mtu - (family === 4 ? 28 : 48);
		// One by one: of several ping(8) sends more, or waits for the last no longer than for those before.
		for (let times = 0; times < 3; times++)
			expect(ping(own[family], '-c', '1', '-W', '10', '-M', 'do', '-s', String(payload)).status).toBe(0);
		const stream = `${source} | busybox nc -w 20 ${own[family]} 7 | head -c ${bytes} | md5sum`;
		expect(runIn(network.path, ['busybox', 'sh', '-c', stream]).stdout).toContain(digest);
		expect(ask(own[family], 10_000)).toBe('hello\n');
	});

	it('is heard under its own addresses only', async () => {
		const probe =
			'ip address add 10.16.0.99/16 dev eth0; ping -c 1 -W 2 -I 10.16.0.99 10.16.0.5 >/dev/null && echo heard; ip address del 10.16.0.99/16 dev eth0';
		expect(await inGuest(probe)).toBe('');
		const mac = 'ip link set eth0 address 02:00:00:00:00:66; ping -c 1 -W 2 10.16.0.5 >/dev/null && echo heard; ip link set eth0 address';
		expect(await inGuest(`${mac} ${port.mac}`)).toBe('');
		expect(await inGuest('ping -c 1 -W 5 10.16.0.5 >/dev/null && echo heard')).toBe('heard');
	});

	describe.each(families)('under a policy: %s', (_, family) => {
		const ip = `ip${family}`;
		const client = (text: string) => `${text} | nc -w 3 ${peer[family]}`;
		beforeAll(async () => {
			agent.rules.set(
				rulesOf(
					acl('to-lport', `outport == @g && ${ip}.src == $peers_ip${family} && tcp.dst == 7`, 'allow-related'),
					acl('to-lport', 'outport == @g && ip', 'drop', 2000),
					acl('from-lport', 'inport == @g && tcp.dst == 71', 'drop'),
				),
			);
			await rulesAreIn();
		});

		it('hears what it may hear, and nothing else', () => {
			const stream = `${source} | busybox nc -w 20 ${own[family]} 7 | head -c ${bytes} | md5sum`;
			expect(runIn(network.path, ['busybox', 'sh', '-c', stream]).stdout).toContain(digest);
			// What is over is soon forgotten.
			const { nftables } = JSON.parse(sandbox.run('nft', '-j', 'list', 'set', 'netdev', 'tapestry', `heard${family}`).stdout);
			const elements = nftables.flatMap(
				({ set }: { set?: { elem?: { elem: { val: { concat: unknown[] }; expires: number } }[] } }) => set?.elem ?? [],
			);
			const streams = elements.filter(({ elem }: { elem: { val: { concat: unknown[] } } }) => elem.val.concat.includes('tcp'));
			expect(streams.length).toBeGreaterThan(0);
			for (const { elem } of streams) expect(elem.expires).toBeLessThanOrEqual(60);
			expect(runIn(network.path, ['busybox', 'nc', '-w', '1', own[family], '80']).status).not.toBe(0);
			expect(ask(own[family], 1000)).toBe('');
			expect(ping(own[family], '-c', '1').status).not.toBe(0);
		});

		it('sends what it may send, and hears the answers', async () => {
			const servers = ['70', '71'].map((number) =>
				spawn('nsenter', [`--net=${network.path}`, 'busybox', 'nc', '-ll', '-p', number, '-e', 'cat'], { stdio: 'ignore' }),
			);
			const ended = servers.map((server) => once(server, 'exit'));
			for (const number of ['70', '71']) {
				const answered = `until echo hi | busybox nc -w 3 ${peer[family]} ${number} 2>/dev/null | grep -q hi; do sleep 0.1; done`;
				expect(runIn(network.path, ['busybox', 'sh', '-c', answered]).status, 'their own network reaches the servers').toBe(0);
			}
			expect(await inGuest(`${client('echo hi')} 70`)).toBe('hi');
			expect(await inGuest(`${client('echo hi')} 71 2>/dev/null`)).toBe('');
			expect(await inGuest(`ping -c 1 -W 5 ${peer[family]} >/dev/null && echo yes`)).toBe('yes');
			expect(await inGuest(`nslookup host.test ${peer[family]} 2>&1`)).toContain('192.0.2.7');
			for (const server of servers) server.kill('SIGKILL');
			await Promise.all(ended);
		});
	});

	it('goes on when the agent is killed, and has the rules that changed meanwhile', async () => {
		agent.rules.set(rulesOf());
		await rulesAreIn();
		const flow = spawn('nsenter', [`--net=${network.path}`, ...steadyPing(own[4], { count: 20, intervalSeconds: 0.1 })]);
		let said = '';
		flow.stdout.on('data', (text) => {
			said += text;
		});
		const ended = once(flow, 'close');
		const { rules } = agent;
		await agent.abandon();
		rules.set(rulesOf(acl('to-lport', 'outport == @g && udp', 'drop')));
		expect(ask(own[4], 5000)).toBe('hello\n');
		agent = await startAgent(node, { isVmm, rules });
		await ended;
		expect(unanswered(said, 20)).toEqual([]);
		expect(ask(own[4], 1000)).toBe('');
		expect(agent.modes.macvtap.describe(attached()!)).toMatchObject({ connected: true, faults: [] });
	});

	it('has its rules again when somebody flushed them', async () => {
		sandbox.run('nft', 'flush', 'ruleset');
		agent.rules.set(rulesOf(acl('to-lport', 'outport == @g && icmp', 'drop')));
		await rulesAreIn();
		expect(ping(own[4], '-c', '1').status).not.toBe(0);
		expect(ask(own[4], 5000)).toBe('hello\n');
	});

	it('leaves nothing after DEL, twice', async () => {
		await guest[Symbol.asyncDispose]();
		for (let twice = 0; twice < 2; twice++) expect(await call('DEL')).toMatchObject({ ok: true, body: '' });
		expect(attached()).toBeUndefined();
		using namespace = Namespace.open(sandbox.path);
		using route = openRoute(namespace);
		expect(listLinks(route).map((link) => link.name)).toEqual(['lo']);
		expect(sandbox.run('nft', 'list', 'tables').stdout).toBe('');
		agent.rules.set(rulesOf());
		expect(sandbox.run('nft', 'list', 'tables').stdout).toBe('');
	});
});

/** Another agent on the node, beside the one of all tests. */
async function startAgentOf(options: { readonly addMs: number }): Promise<AgentUnderTest & AsyncDisposable> {
	const other = await startAgent(node, { isVmm, ...options });
	return { ...other, [Symbol.asyncDispose]: () => other.abandon() };
}

/** The agent has loaded what it was told last. */
async function rulesAreIn(): Promise<void> {
	await vi.waitFor(() => expect(agent.modes.macvtap.describe(attached()!).faults).toEqual([]), { timeout: 60_000 });
}
