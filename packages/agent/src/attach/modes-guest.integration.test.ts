import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { hostTapName } from '@tapestry/host';
import { findLink, listLinks, Namespace, openRoute } from '@tapestry/linux';
import { untilLink } from '@tapestry/linux/testing';
import { type AttachmentModeName, bridgeServerAddress, type ForwardedPort, podSideAddresses } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { patiently } from '../../../base/src/testing/until.ts';
import type { LauncherUnderTest } from '../../../lab/src/launcher/testing/launcher-under-test.ts';
import { mirrorDevice } from '../switch/port-mirror.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { startCapture } from '../testing/capture.ts';
import { startDpdk } from '../testing/dpdk.ts';
import { startGuest, untilAddresses } from '../testing/guest.ts';
import { arrivedDatagrams, blast, receivedBytes, setLimits } from '../testing/limited-traffic.ts';
import { gateways, giveAddresses, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, nodeProgram, runIn, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { steadyPing, unanswered } from '../testing/steady-ping.ts';
import { bytes, digest, source } from '../testing/stream.ts';
import { isVmm } from './vmm.ts';

/** What a mode can do, and where its guest is told its addresses. */
interface Mode {
	readonly name: AttachmentModeName;
	/** The guest's own addresses where they are not the port's. */
	readonly inside?: { readonly v4: string; readonly v6: string };
	readonly forward?: readonly ForwardedPort[];
	readonly queues: 1 | 2;
	/** Who answered its DHCP. @default OVN, as the gateway */
	readonly server?: string;
	/** TCP loses what is under way once a side has closed its half (passt of 2023). */
	readonly losesTheEnd?: boolean;
	/** Every answer of the guest's over UDP and IPv6 comes twice (passt of 2023). */
	readonly answersTwice?: boolean;
	/** IPv4 only. */
	readonly isV4?: boolean;
	/** Takes a switch with DPDK. Comes last, because the switch is started anew for it. */
	readonly dpdk?: boolean;
}

const forward = [
	{ protocol: 'tcp', port: 7 },
	{ protocol: 'udp', port: 7 },
] as const;
const { 4: pod4, 6: pod6 } = podSideAddresses;
const modes: readonly Mode[] = [
	{ name: 'lift', queues: 2 },
	{ name: 'tap', queues: 2 },
	{ name: 'bridge', queues: 2, server: bridgeServerAddress },
	{ name: 'managedtap', queues: 2 },
	{ name: 'tcredirect', queues: 2 },
	{ name: 'masquerade', queues: 2, inside: { v4: `${pod4.guest}/24`, v6: `${pod6.guest}/128` }, server: pod4.gateway },
	{ name: 'macvtap', queues: 1 },
	// Without ports it lets all in, for which it opens more files than most machines allow.
	{ name: 'passt', queues: 1, losesTheEnd: true, answersTwice: true, forward },
	{
		name: 'slirp',
		queues: 1,
		isV4: true,
		inside: { v4: '10.0.2.15/24', v6: '' },
		server: '10.0.2.2',
		forward,
	},
	{ name: 'vhost-user', queues: 2, dpdk: true },
];

const mtu = 1442;
const families = [
	['IPv4', 4],
	['IPv6', 6],
] as const;

let node: MiniNode;
let agent: AgentUnderTest;
let peer: Sandbox;
const peerHost = 5;

beforeAll(async () => {
	node = await startMiniNode('guests');
	makeNetwork(node);
	agent = await startAgent(node, { isVmm });
	const port = portOf('peer.default', peerHost);
	makeLogicalPort(node, port);
	peer = node.sandbox('peer');
	agent.workloads.set({ namespace: 'default', name: 'peer' }, { kind: 'pod', port });
	expect((await agent.call('ADD', { containerId: 'peer', sandbox: peer })).ok).toBe(true);
});
afterAll(async () => {
	// The one that was started for a mode that was not looked at, too.
	for (const { guest } of made.values()) await guest.then((running) => running[Symbol.asyncDispose]()).catch(() => {});
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

/** What answers a datagram from the peer. */
function ask(address: string, port: number, patienceMs: number): string {
	const program = nodeProgram(join(import.meta.dirname, '../testing/ask-program.ts'));
	return runIn(peer.path, [...program, address, String(port), 'hello', String(patienceMs)]).stdout;
}

/** What is made for a mode: its machine, attached, and its guest. */
interface Made {
	readonly sandbox: Pick<Sandbox, 'path' | 'run'>;
	guest: Promise<LauncherUnderTest>;
}

const hostOf = (mode: Mode): number => 16 + modes.indexOf(mode);
const made = new Map<string, Made>();

/** Attaches a mode's machine as a runtime does, or, where none is asked, as the agent does by itself. */
async function attach(mode: Mode): Promise<void> {
	const { name, queues, forward: ports } = mode;
	const port = portOf(`${name}.default`, hostOf(mode));
	makeLogicalPort(node, port);
	giveAddresses(node, port);
	const hostNetwork = name === 'tap';
	const path = `/run/netns/${node.name}`;
	const sandbox = hostNetwork ? { path, run: (...command: readonly string[]) => runIn(path, command) } : node.sandbox(name);
	if (hostNetwork) {
		const attachment = { ...entry(name), device: hostTapName('u1', 'default'), port, queues, mode: name, complete: true };
		await agent.modes.tap.prepare(attachment);
		await agent.modes.tap.connect(attachment, patiently());
		agent.journal.put(attachment);
	} else {
		agent.workloads.set(
			{ namespace: 'default', name },
			{ kind: 'machine', port, queues, mode: name, ...(ports ? { forward: ports } : {}) },
		);
		expect(await agent.call('ADD', { containerId: name, sandbox })).toMatchObject({ ok: true });
	}
	const nic = ports ? { ports: ports.map(({ protocol, port: number }) => ({ port: number, protocol: protocol.toUpperCase() })) } : {};
	const guest = startGuest(sandbox, { queues, nic, hostNetwork });
	guest.catch(() => {});
	made.set(name, { sandbox, guest });
}

const entry = (name: string) => ({
	...{ containerId: name, ifname: 'eth0', network: '', netns: '' },
	pod: { namespace: 'default', name, uid: '' },
});

describe.each(modes)('a guest by $name', (mode) => {
	const { name, inside, queues, server = gateways.v4, isV4 = false, losesTheEnd = false, answersTwice = false, dpdk = false } = mode;
	const port = portOf(`${name}.default`, hostOf(mode));
	const addressOf = { 4: `10.16.0.${hostOf(mode)}`, 6: `fd00:10:16::${hostOf(mode).toString(16)}` } as const;
	const call = (command: 'ADD' | 'DEL') => agent.call(command, { containerId: name, sandbox });
	let device: string;
	let sandbox: Pick<Sandbox, 'path' | 'run'>;
	let guest: LauncherUnderTest;

	const ping = (address: string, ...more: readonly string[]) => runIn(peer.path, ['ping', '-n', '-W', '10', ...more, address]);
	const inGuest = async (script: string) => (await guest.exec('sh', '-c', script)).output.trim();
	const attached = () => agent.journal.get({ containerId: name, ifname: 'eth0' });

	beforeAll(async () => {
		if (dpdk) await startDpdk(node, agent.bridge);
		if (!made.has(name)) await attach(mode);
		const own = made.get(name)!;
		({ sandbox } = own);
		guest = await own.guest;
		device = attached()!.device;
		await guest.running;
		// Until its network has answered: the guest says so on its console.
		await guest.shown('GUEST READY');
		// Boots while this one is looked at.
		const next = modes[modes.indexOf(mode) + 1];
		if (next && !next.dpdk) await attach(next);
	}, 120_000);
	afterAll(async () => {
		await guest?.[Symbol.asyncDispose]();
	});

	it('has its addresses by the way of the mode, and the full MTU', async () => {
		const expected = [inside?.v4 ?? `${addressOf[4]}/16`, ...(isV4 ? [] : [inside?.v6 ?? `${addressOf[6]}/`])];
		const said = await inGuest(untilAddresses(expected));
		for (const address of expected) expect(said).toContain(address);
		expect(said).toContain(`mtu=${mtu}`);
		expect(await inGuest('dhcpcd -4 -U eth0')).toContain(`dhcp_server_identifier=${server}`);
		expect(await inGuest('ls -d /sys/class/net/eth0/queues/rx-* | wc -l')).toBe(String(queues));
	});

	it('ADD again is refused and changes nothing', async () => {
		if (name !== 'tap') expect((await call('ADD')).json).toMatchObject({ code: 100 });
		expect(agent.modes[name].describe(attached()!)).toMatchObject({ connected: true, faults: [] });
	});

	it.each(isV4 ? families.slice(0, 1) : families)(
		'answers full-sized packets that may not be split, and echoes a stream: %s',
		async (_, family) => {
			const address = addressOf[family];
			const payload = mtu - (family === 4 ? 28 : 48);
			// One by one: of several ping(8) sends more, or waits for the last no longer than for those before.
			for (let times = 0; times < 3; times++) expect(ping(address, '-c', '1', '-M', 'do', '-s', String(payload)).status).toBe(0);
			const stream = `${source} | busybox nc -w 20 ${address} 7 | head -c ${bytes} | md5sum`;
			expect(runIn(peer.path, ['busybox', 'sh', '-c', stream]).stdout).toContain(digest);
		},
	);

	it.each(isV4 ? families.slice(0, 1) : families)('reaches the network itself: %s', async (_, family) => {
		const [gateway, other] = family === 4 ? [gateways.v4, `10.16.0.${peerHost}`] : [gateways.v6, `fd00:10:16::${peerHost}`];
		expect(await inGuest(`ping -c 2 -W 5 ${gateway} >/dev/null && echo yes`)).toBe('yes');
		const server = spawn('nsenter', [`--net=${peer.path}`, 'busybox', 'nc', '-ll', '-p', '70', '-e', 'cat'], { stdio: 'ignore' });
		const ended = once(server, 'exit');
		const listens = `until echo hi | busybox nc -w 3 ${other} 70 2>/dev/null | grep -q hi; do sleep 0.1; done`;
		expect(runIn(peer.path, ['busybox', 'sh', '-c', listens]).status).toBe(0);
		const input = losesTheEnd ? `(${source}; while [ $(wc -c </tmp/back) -lt ${bytes} ]; do sleep 0.1; done)` : source;
		expect(await inGuest(`: >/tmp/back; ${input} | nc -w 20 ${other} 70 | head -c ${bytes} >/tmp/back; md5sum </tmp/back`)).toContain(
			digest,
		);
		server.kill('SIGKILL');
		await ended;
	});

	it('goes on when the agent is killed and another takes over', async () => {
		const flow = spawn('nsenter', [`--net=${peer.path}`, ...steadyPing(addressOf[4], { count: 20, intervalSeconds: 0.1 })]);
		let said = '';
		flow.stdout.on('data', (text) => {
			said += text;
		});
		const ended = once(flow, 'close');
		await agent.abandon();
		agent = await startAgent(node, { isVmm });
		await ended;
		expect(unanswered(said, 20)).toEqual([]);
		expect(agent.modes[name].describe(attached()!)).toMatchObject({ connected: true, faults: [] });
	});

	it.each(isV4 ? families.slice(0, 1) : families)(
		'echoes datagrams to whoever asks, as the policy of its port allows: %s',
		async (_, family) => {
			const address = addressOf[family];
			expect(ask(address, 7, 10_000)).toBe('hello\n');
			const match = `outport == "${port.name}" && ip${family} && udp`;
			node.nbctl('--wait=hv', 'acl-add', 'ovn-default', 'to-lport', '1000', match, 'drop');
			node.revalidate();
			expect(ask(address, 7, 1000)).toBe('');
			expect(ping(address, '-c', '1').status).toBe(0);
			node.nbctl('--wait=hv', 'acl-del', 'ovn-default');
			expect(ask(address, 7, 10_000)).toBe('hello\n');
		},
	);

	it('holds back what its port is limited to, in that direction alone, both families in one bucket', async () => {
		const addresses = isV4 || answersTwice ? [addressOf[4]] : [addressOf[4], addressOf[6]];
		// All of them find room in a queue, however long nobody has the time to empty it.
		const [sent, payload] = [40, 1000];
		// It holds 17 of them, and in all of a test is not filled up by another five.
		const bucket = { rate: 1, burst: 150 };
		const counters = 'cat /proc/net/snmp /proc/net/snmp6';
		const frame = payload + 50;
		// The sender takes no answers: those that it leaves in its sockets are in no counter but its device's.
		const echoes = () => receivedBytes(runIn(peer.path, ['cat', '/proc/net/dev']).stdout, 'eth0') / frame;
		const counts = async () => [arrivedDatagrams(await inGuest(counters)), echoes()] as const;
		// Some more may be late answers to what was asked before.
		const shareOf = (count: number) =>
			count >= sent - 1 && count <= sent + 4 ? 'all' : count >= 16 && count <= 20 ? 'a bucket' : `${count}`;
		/** Sends under these limits, and answers with how many have come there and back: as soon as all have that are to, however slow the guest is. */
		const arrivedWith = async (limits: Parameters<typeof setLimits>[2], ...expected: readonly [there: string, back: string]) => {
			setLimits(node, port, limits);
			const before = await counts();
			blast(peer.path, addresses, 7, sent, payload);
			const end = performance.now() + 20_000;
			for (;;) {
				const shares = (await counts()).map((count, at) => shareOf(Math.round(count - before[at]!)));
				if (performance.now() > end || shares.every((share, at) => share === expected[at])) return shares;
			}
		};
		onTestFinished(() => setLimits(node, port, {}));
		// The guest echoes what it receives.
		expect(await arrivedWith({ ingress: bucket }, 'a bucket', 'a bucket')).toEqual(['a bucket', 'a bucket']);
		expect(await arrivedWith({ egress: bucket }, 'all', 'a bucket')).toEqual(['all', 'a bucket']);
		expect(await arrivedWith({}, 'all', 'all')).toEqual(['all', 'all']);
	});

	it('is mirrored in both directions and both families, and nobody else with it', async () => {
		const on = `/run/netns/${node.name}`;
		await agent.mirror([port.name]);
		await untilLink(on, mirrorDevice, (link) => link?.up === true);
		node.revalidate();
		// The policy of a test before has left flows that overlap. Of such, Open vSwitch 3.1.0 may keep one as it was.
		node.purge();
		await using capture = await startCapture(on, mirrorDevice);
		expect(ping(gateways.v4, '-c', '1').status).toBe(0);
		const ways = [[addressOf[4], `10.16.0.${peerHost}`], ...(isV4 ? [] : [[addressOf[6], `fd00:10:16::${peerHost}`]])];
		const exchanges = ways.flatMap(([own, other]) =>
			[1, 2].flatMap((id) => [`${other} > ${own} echo request, id ${id}`, `${own} > ${other} echo reply, id ${id}`]),
		);
		for (const [address] of ways) {
			for (const id of ['1', '2']) expect(ping(address!, '-c', '1', '-e', id).status).toBe(0);
		}
		// Each way has a thread of its own where the switch polls: which copy comes first is open.
		for (const exchange of exchanges) await capture.until(new RegExp(exchange.replace(' echo', ': .*echo')));
		const echoes = capture.lines.flatMap((line) => {
			const [, way, kind] = /(\S+ > \S+): .*(echo re(?:quest|ply), id \d+)/.exec(line) ?? [];
			return kind ? [`${way} ${kind}`] : [];
		});
		expect(echoes.toSorted()).toEqual(exchanges.toSorted());
		await agent.mirror([]);
		await untilLink(on, mirrorDevice, (link) => link === undefined);
	});

	it('leaves nothing after DEL, twice', async () => {
		await guest[Symbol.asyncDispose]();
		for (let twice = 0; twice < 2; twice++) {
			if (name !== 'tap') expect(await call('DEL')).toMatchObject({ ok: true, body: '' });
			else await agent.modes.tap.disconnect({ ...entry(name), device }, patiently());
		}
		expect(findLink(node.host.route, device)).toBeUndefined();
		expect(agent.bridge.port(device)).toBeUndefined();
		if (name === 'tap') return;
		expect(attached()).toBeUndefined();
		using namespace = Namespace.open(sandbox.path);
		using route = openRoute(namespace);
		expect(listLinks(route).map((link) => link.name)).toEqual(['lo']);
		expect(sandbox.run('nft', 'list', 'tables').stdout).toBe('');
	});
});
