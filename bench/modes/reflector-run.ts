import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTap } from '@tapestry/linux';
import type { AttachmentModeName } from '@tapestry/network';
import { deviceName } from '../../packages/agent/src/attach/attachment.ts';
import { handToSwitch } from '../../packages/agent/src/attach/host-side.ts';
import { tapName } from '../../packages/agent/src/attach/waiting-tap.ts';
import { type AgentUnderTest, startAgent } from '../../packages/agent/src/testing/agent-under-test.ts';
import { makeLogicalPort, makeNetwork, portOf } from '../../packages/agent/src/testing/logical-network.ts';
import { type MiniNode, startMiniNode } from '../../packages/agent/src/testing/mini-node.ts';
import { seeded } from '../../packages/agent/src/testing/seeded.ts';
import { timed } from '../harness.ts';
import { ports } from './echo.ts';
import { startProber } from './prober.ts';
import { measureRounds, type RoundOptions, type Target } from './rounds.ts';
import { type Comparison, type Series, seriesOf } from './series.ts';
import { median, shuffled } from './statistics.ts';

const program = join(import.meta.dirname, 'reflector-program.ts');
/** What every other way is compared with: a tap on the node that is a port of the switch and nothing else. */
const bareTap = 'bare tap';
type Subject = AttachmentModeName | typeof bareTap;
const clientHost = 5;
const firstHost = 20;

/** The modes whose guest is at a device in the launcher's namespace; that of mode `tap` is the bare tap, the others are QEMU's own affair. */
export const reflected: readonly AttachmentModeName[] = ['lift', 'bridge', 'managedtap', 'masquerade', 'tcredirect', 'macvtap'];
const macvtapDevice = join(import.meta.dirname, '..', '..', 'packages/lab/src/launcher/macvtap-device.sh');

interface Attached {
	readonly name: string;
	readonly address: string;
	readonly attachMs: number;
}

/**
 * The host's part of each mode's path: one node with real OVN and Open vSwitch, a pod that asks, and for each mode a reflector in the place of the
 * guest. Datagrams only, as a reflector speaks no TCP. Each round has a node of its own, on which the modes get their ports in another order: Open
 * vSwitch's thread may or may not meet an answer in the turn in which it passed the question on, by the order in which it looks at its ports. That
 * accident is larger than what the modes differ in, so it has to be in the intervals.
 */
export async function reflectorRun(modes: readonly AttachmentModeName[], options: RoundOptions): Promise<Comparison> {
	const random = seeded(options.seed);
	const found: Round[] = [];
	for (let round = 1; round <= options.rounds; round++) {
		found.push(await oneNode(shuffled([bareTap, ...modes], random), { ...options, rounds: 1, seed: round }));
		options.progress?.(round);
	}
	return {
		name: 'reflector',
		title: 'The host path, with a reflector for a guest',
		note: 'A process answers at the tap as a guest would, at once: what differs is what lies between the switch and the tap.',
		baseline: bareTap,
		subjects: [bareTap, ...modes].map((name) => ({
			name,
			attachMs: median(found.flatMap(({ attached }) => attached.filter((one) => one.name === name).map(({ attachMs }) => attachMs))),
		})),
		series: joined(found.map(({ series }) => series)),
	};
}

interface Round {
	readonly attached: readonly Attached[];
	readonly series: readonly Series[];
}

async function oneNode(subjects: readonly Subject[], { progress: _, ...options }: RoundOptions): Promise<Round> {
	await using cleanup = new AsyncDisposableStack();
	const node = cleanup.use(await startMiniNode('bench'));
	makeNetwork(node);
	const agent = await startAgent(node);
	cleanup.defer(() => agent.abandon());
	const client = await attachClient(node, agent);
	const prober = cleanup.use(startProber(['nsenter', `--net=${client.path}`]));
	const attached: Attached[] = [];
	for (const [index, subject] of subjects.entries()) {
		const host = firstHost + index;
		attached.push(
			subject === bareTap ? await attachBareTap(node, agent, host, cleanup) : await attachMode(node, agent, subject, host, cleanup),
		);
	}
	const targets = attached.map(({ name, address }): Target => ({ subject: name, prober, address, udp: { port: ports.udp } }));
	return { attached, series: await measureRounds(targets, options) };
}

/** The rounds of all nodes one after the other. */
function joined(rounds: readonly (readonly Series[])[]): readonly Series[] {
	return (rounds[0] ?? []).map((first) => {
		const same = rounds.map((series) => seriesOf({ series }, first.subject, first)).filter((one) => one !== undefined);
		return {
			...first,
			rounds: same.flatMap((one) => one.rounds),
			p99: median(same.map(({ p99 }) => p99).filter(Number.isFinite)),
			lost: same.reduce((sum, { lost }) => sum + lost, 0),
		};
	});
}

async function attachClient(node: MiniNode, agent: AgentUnderTest) {
	const port = portOf('client.default', clientHost);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name: 'client' }, { kind: 'pod', port });
	const sandbox = node.sandbox('client');
	await added(agent, 'client', sandbox);
	return sandbox;
}

async function attachBareTap(node: MiniNode, agent: AgentUnderTest, host: number, cleanup: AsyncDisposableStack): Promise<Attached> {
	const device = 'baretap';
	const port = portOf('bare.default', host);
	makeLogicalPort(node, port);
	const madeMs = await timed(() => {
		createTap(node.host.namespace, { name: device, uid: 0, gid: 0, multiQueue: false });
		handToSwitch({ host: node.host, bridge: agent.bridge }, { device, port });
	});
	await startReflector(['nsenter', `--net=/run/netns/${node.name}`], ['--tap', device, '--mac', port.mac], cleanup);
	const pluggedMs = await timed(async () => {
		const row = await agent.bridge.add({ device, ifaceId: port.name, ifaceIdVersion: port.ownerUid, about: {} });
		await agent.bridge.installed(row, AbortSignal.timeout(10_000));
	});
	return { name: bareTap, address: addressOf(port), attachMs: madeMs + pluggedMs };
}

async function attachMode(
	node: MiniNode,
	agent: AgentUnderTest,
	mode: AttachmentModeName,
	host: number,
	cleanup: AsyncDisposableStack,
): Promise<Attached> {
	const port = portOf(`${mode}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name: mode }, { kind: 'machine', port, queues: 1, mode });
	const sandbox = node.sandbox(mode);
	const installed = agent.installed(deviceName(mode, { containerId: mode, ifname: 'eth0' })).then(() => process.hrtime.bigint());
	const addMs = await timed(() => added(agent, mode, sandbox));
	const enter = ['nsenter', `--net=${sandbox.path}`];
	const device = mode === 'macvtap' ? ['--character-device', characterDevice(node, enter)] : ['--tap', tapName];
	const openedAt = await startReflector(enter, [...device, '--mac', port.mac], cleanup);
	// The guest's start is not the mode's affair; what the mode does once the tap is held is.
	const afterMs = Math.max(0, Number((await installed) - openedAt) / 1e6);
	return { name: mode, address: addressOf(port), attachMs: addMs + afterMs };
}

async function added(agent: AgentUnderTest, containerId: string, sandbox: ReturnType<MiniNode['sandbox']>): Promise<void> {
	const answer = await agent.call('ADD', { containerId, sandbox });
	if (!answer.ok) throw new Error(`ADD of ${containerId}: ${answer.body}`);
}

function characterDevice(node: MiniNode, enter: readonly string[]): string {
	const path = join(node.dir, 'macvtap');
	const [command = '', ...args] = [...enter, 'unshare', '--mount', '--propagation', 'private', 'sh', macvtapDevice, tapName, path];
	execFileSync(command, args);
	return path;
}

/** Resolves when it holds its device, with the time of that as process.hrtime tells it. */
async function startReflector(enter: readonly string[], args: readonly string[], cleanup: AsyncDisposableStack): Promise<bigint> {
	const [command = '', ...rest] = [...enter, process.execPath, '--disable-warning=ExperimentalWarning', program, ...args];
	const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
	const exited = once(child, 'exit');
	cleanup.defer(async () => {
		child.kill('SIGKILL');
		await exited;
	});
	const [opened] = await Promise.race([
		once(createInterface(child.stdout), 'line') as Promise<[string]>,
		exited.then(() => Promise.reject(new Error(`reflector-program.ts ${args.join(' ')} ended early`))),
	]);
	return BigInt(opened.replace('open ', ''));
}

function addressOf(port: ReturnType<typeof portOf>): string {
	return port.addresses[0]?.address.split('/')[0] ?? '';
}
