import { readFileSync } from 'node:fs';
import { findLink, LinkMonitor, listLinks, Namespace, openRoute, setLink } from '@tapestry/linux';
import { type HoldOptions, holdTap, untilLink, type Wire } from '@tapestry/linux/testing';
import type { Session } from '@tapestry/ovsdb';
import { until } from '../../../base/src/testing/until.ts';
import { deviceName } from '../attach/attachment.ts';
import { tapName } from '../attach/waiting-tap.ts';
import type { Port } from '../port.ts';
import { IntegrationBridge } from '../switch/integration-bridge.ts';
import { type AgentUnderTest, startAgent } from './agent-under-test.ts';
import { arpRequest, type End, echoRequest, echoRequest6, linkLocalOf } from './frames.ts';
import { reachGateway } from './gateway.ts';
import { makeLogicalPort, portOf } from './logical-network.ts';
import { type MiniNode, runIn, type Sandbox } from './mini-node.ts';

/** A machine and what has been done to it; from that follows what has to be. */
export interface Machine {
	readonly containerId: string;
	readonly queues: number;
	readonly port: Port;
	readonly self: End;
	/** The tap's name on the node. */
	readonly device: string;
	sandbox: Sandbox;
	/** Between ADD and DEL. */
	attached: boolean;
	vmm: Wire | undefined;
	/** The tap that its VMM opened was deleted: the VMM holds nothing. */
	blind: boolean;
}

/** An address of the node, for which machines ask all the time. */
const nodeAddress = '127.0.0.1';
const everybody = 'ff:ff:ff:ff:ff:ff';

/** What opens taps for a machine. */
export interface Vmm {
	readonly hold: (namespacePath: string, options: HoldOptions) => Promise<Wire>;
	/** See LiftOptions. @default knows the stand-in */
	readonly isVmm?: (executable: string) => boolean;
}

/** A program of ours in place of a VMM. */
const standIn: Vmm = { hold: holdTap };

/** Machines on one node under changing agents, and what must always hold of them. */
export class MachineModel implements AsyncDisposable {
	readonly node: MiniNode;
	readonly machines: Machine[] = [];
	agent: AgentUnderTest;
	/** What was done, for the message of a failure. */
	readonly trace: string[] = [];
	readonly #vmm: Vmm;
	readonly #session: Session;
	readonly #bridge: IntegrationBridge;
	readonly #monitor = new LinkMonitor();
	readonly #listeners = new Set<() => void>();
	#received: string;

	private constructor(node: MiniNode, vmm: Vmm, agent: AgentUnderTest, session: Session, bridge: IntegrationBridge) {
		this.#vmm = vmm;
		this.node = node;
		this.agent = agent;
		this.#session = session;
		this.#bridge = bridge;
		this.#received = this.#receivedByNode();
		bridge.onChange(() => this.#changed());
		this.#monitor.watch(node.host.namespace, () => this.#changed());
	}

	static async start(node: MiniNode, vmm: Vmm = standIn): Promise<MachineModel> {
		const session = node.connect();
		return new MachineModel(node, vmm, await startAgent(node, vmm), session, await IntegrationBridge.open(session));
	}

	/** A machine with a lease that nobody has attached yet. */
	machine(name: string, host: number, queues: number): Machine {
		const port = portOf(`${name}.default`, host);
		makeLogicalPort(this.node, port);
		const machine: Machine = {
			containerId: name,
			queues,
			port,
			self: { mac: port.mac, ip: `10.16.0.${host}` },
			device: deviceName('lift', { containerId: name, ifname: 'eth0' }),
			sandbox: this.#sandbox(name),
			attached: false,
			vmm: undefined,
			blind: false,
		};
		this.machines.push(machine);
		this.#lease(machine);
		return machine;
	}

	async add(machine: Machine): Promise<void> {
		this.#succeed(await this.agent.call('ADD', machine), `ADD ${machine.containerId}`);
		machine.attached = true;
	}

	/** As a runtime does it: the launcher's processes have ended, its namespace goes before or after. */
	async remove(machine: Machine, order: 'sandbox first' | 'sandbox last' | 'VMM last'): Promise<void> {
		if (order !== 'VMM last') await this.stopVmm(machine);
		if (order === 'sandbox first') machine.sandbox.remove();
		this.#succeed(await this.agent.call('DEL', machine), `DEL ${machine.containerId}`);
		machine.attached = false;
		await this.stopVmm(machine);
		if (order === 'sandbox first') machine.sandbox = this.#sandbox(machine.containerId);
	}

	async startVmm(machine: Machine): Promise<void> {
		machine.vmm = await this.#vmm.hold(machine.sandbox.path, { name: tapName, queues: machine.queues });
		machine.blind = false;
	}

	async stopVmm(machine: Machine): Promise<void> {
		await machine.vmm?.kill();
		machine.vmm = undefined;
	}

	/** The VMM dies and the next one opens the tap as soon as it is there. */
	async restartVmm(machine: Machine): Promise<void> {
		await this.stopVmm(machine);
		await untilLink(machine.sandbox.path, tapName, (link) => link?.up === true && !link.carrier);
		await this.startVmm(machine);
	}

	/** Deletes the tap wherever it is. */
	deleteTap(machine: Machine): void {
		const [path, name] = findLink(this.node.host.route, machine.device)
			? [`/run/netns/${this.node.name}`, machine.device]
			: [machine.sandbox.path, tapName];
		runIn(path, ['ip', 'link', 'delete', name]);
		machine.blind = true;
	}

	/** What an agent that dies between move and plug leaves. */
	moveTap({ sandbox, device }: Machine): void {
		using namespace = Namespace.open(sandbox.path);
		using route = openRoute(namespace);
		setLink(route, tapName, { name: device, namespace: this.node.host.namespace });
	}

	/** What an agent that dies between plugging the tap in and setting it up leaves, after `moveTap`. */
	plugTap({ device, port, containerId }: Machine): void {
		const ids = { vendor: 'tapestry', sandbox: `${containerId}/eth0`, 'iface-id': port.name, 'iface-id-ver': port.ownerUid };
		const settings = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
		this.node.vsctl('add-port', 'br-int', device, '--', 'set', 'Interface', device, ...settings);
	}

	async killAgent(): Promise<void> {
		await this.agent.abandon();
	}

	async startAgent(): Promise<void> {
		this.agent = await startAgent(this.node, this.#vmm);
		for (const machine of this.machines) this.#lease(machine);
	}

	/** CHECK finds nothing wrong, and GC that knows all attachments removes none. */
	async inspect(): Promise<void> {
		const attached = this.machines.filter((machine) => machine.attached);
		for (const machine of attached) {
			const result = { cniVersion: '1.1.0', interfaces: [], ips: [] };
			this.#succeed(
				await this.agent.call('CHECK', { ...machine, version: '1.1.0', config: { prevResult: result } }),
				`CHECK ${machine.containerId}`,
			);
		}
		await this.collect(attached);
	}

	/** GC with these as the only valid attachments. */
	async collect(valid: readonly Machine[]): Promise<void> {
		const list = valid.map(({ containerId }) => ({ containerID: containerId, ifname: 'eth0' }));
		const call = { containerId: 'gc', sandbox: { path: '' }, version: '1.1.0', config: { 'cni.dev/valid-attachments': list } };
		this.#succeed(await this.agent.call('GC', call), 'GC');
		for (const machine of this.machines.filter((other) => !valid.includes(other))) {
			machine.attached = false;
			machine.blind = machine.vmm !== undefined;
		}
	}

	/** Every machine says things that only the node's own stack would listen to. */
	chatter(): void {
		for (const { vmm, self } of this.machines) {
			const linkLocal = { mac: self.mac, ip: linkLocalOf(self.mac) };
			vmm?.send(arpRequest(self, nodeAddress));
			vmm?.send(echoRequest(self, { mac: everybody, ip: nodeAddress }));
			vmm?.send(echoRequest6(linkLocal, { mac: '33:33:00:00:00:01', ip: 'ff02::1' }));
		}
	}

	/** Resolves when all is as it has to be, in state and by packets; rejects with what is not. */
	async settled(): Promise<void> {
		// What was done to the database by others has to be seen before it can be seen to be undone.
		await this.#bridge.settled();
		await until(
			() => `the end of this: ${this.#faults().join('; ')}\nafter ${this.trace.join(', ')}`,
			(listener) => this.#subscribe(listener),
			() => this.#faults().length === 0,
		);
		this.chatter();
		await Promise.all(this.machines.filter(isLifted).map((machine) => this.#reachesGateway(machine)));
		const shielded = runIn(`/run/netns/${this.node.name}`, ['nft', 'list', 'ruleset']).stdout.match(/(?<=chain )tap\w+/g) ?? [];
		const expected = this.machines.filter(isLifted).map(({ device }) => device);
		const problems = this.#faults();
		if (shielded.sort().join() !== expected.sort().join()) problems.push(`ingress is dropped on ${shielded}, not on ${expected}`);
		const received = this.#receivedByNode();
		if (received !== this.#received) problems.push(`the node's stack has received packets: ${this.#received} before, ${received} now`);
		if (problems.length > 0) throw new Error(`${problems.join('; ')}\nafter ${this.trace.join(', ')}`);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const machine of this.machines) await this.stopVmm(machine);
		await this.agent.abandon();
		this.#monitor[Symbol.dispose]();
		await this.#session.close();
	}

	#lease({ containerId, port, queues }: Machine): void {
		this.agent.workloads.set({ namespace: 'default', name: containerId }, { kind: 'machine', port, queues });
	}

	#sandbox(name: string): Sandbox {
		const sandbox = this.node.sandbox(name);
		using namespace = Namespace.open(sandbox.path);
		this.#monitor.watch(namespace, () => this.#changed());
		return sandbox;
	}

	#changed(): void {
		for (const listener of this.#listeners) listener();
	}

	#subscribe(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#succeed(answer: { readonly ok: boolean; readonly body: string }, call: string): void {
		if (!answer.ok) throw new Error(`${call}: ${answer.body}\nafter ${this.trace.join(', ')}`);
	}

	#faults(): string[] {
		const lifted = this.machines.filter(isLifted).map(({ device }) => device);
		const plugged = this.#bridge.ports().map(({ device }) => device);
		const taps = listLinks(this.node.host.route).flatMap(({ name, kind }) => (kind === 'tun' && name.startsWith('tap') ? [name] : []));
		const journal = this.agent.journal.all().filter(({ complete }) => complete);
		const attached = this.machines.filter((machine) => machine.attached).map(({ containerId }) => containerId);
		return [
			...differences('ports', plugged, lifted),
			...differences('taps on the node', taps, lifted),
			...differences(
				'the journal',
				journal.map(({ containerId }) => containerId),
				attached,
			),
			...this.machines.flatMap((machine) => this.#faultsOf(machine)),
		];
	}

	#faultsOf(machine: Machine): string[] {
		const { containerId, device, port, sandbox, attached } = machine;
		using namespace = Namespace.open(sandbox.path);
		using route = openRoute(namespace);
		const waiting = findLink(route, tapName);
		const wrong: string[] = [];
		if (isLifted(machine)) {
			const found = this.#bridge.port(device);
			if (found?.ifaceId !== port.name || !found.installed || found.error) wrong.push(`its port is ${JSON.stringify(found)}`);
			if (!findLink(this.node.host.route, device)?.up) wrong.push('its tap is down');
			if (waiting) wrong.push(`there is a stray ${tapName}`);
		} else if (attached) {
			if (!waiting?.up || waiting.carrier) wrong.push(`no tap waits for its VMM: ${JSON.stringify(waiting)}`);
		} else if (waiting || findLink(route, 'eth0')) {
			wrong.push('its sandbox is not empty');
		}
		return wrong.map((text) => `${containerId}: ${text}`);
	}

	async #reachesGateway({ vmm, self }: Machine): Promise<void> {
		try {
			if (vmm) await reachGateway(vmm, self);
		} catch (cause) {
			throw new Error(`after ${this.trace.join(', ')}`, { cause });
		}
	}

	/** IP packets that the node's stack has taken in (proc_pid_net(5)). */
	#receivedByNode(): string {
		const read = (file: string): string => this.node.host.namespace.run(() => readFileSync(`/proc/thread-self/net/${file}`, 'utf8'));
		const v4 = /^Ip: \d+ \d+ (\d+)/m.exec(read('snmp'))?.[1];
		const v6 = /^Ip6InReceives\s+(\d+)/m.exec(read('snmp6'))?.[1];
		return `${v4} IPv4, ${v6} IPv6`;
	}
}

function isLifted({ attached, vmm, blind }: Machine): boolean {
	return attached && vmm !== undefined && !blind;
}

function differences(what: string, found: readonly string[], expected: readonly string[]): string[] {
	const [has, wants] = [[...found].sort().join(), [...expected].sort().join()];
	return has === wants ? [] : [`${what}: [${has}] instead of [${wants}]`];
}
