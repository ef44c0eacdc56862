import type { Clock, Signal } from '@tapestry/base';
import { createVeth, findLink } from '@tapestry/linux';
import { type Observe, stopwatch } from '../metrics.ts';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import {
	type Attachment,
	type AttachmentMode,
	type AttachmentState,
	type DisconnectTarget,
	portMarks,
	type SandboxInterface,
} from './attachment.ts';
import { type HostSide, handToSwitch, removeFromHost } from './host-side.ts';
import { findSandbox, openSandbox, sandboxFaults } from './sandbox-side.ts';
import { activateInterface, configureInterface, type Wiring, withSide } from './wiring.ts';

export interface VethDeps {
	readonly clock: Clock;
	readonly observe: Observe;
	readonly host: HostSide;
	readonly bridge: IntegrationBridge;
}

/** Containers: the inner end is the sandbox's interface, with the port's addresses. */
export const containerWiring: Wiring = {
	name: 'veth',
	servesSandbox: true,
	probe: async () => [],
	innerEnd: ({ ifname, port }) => ({ name: ifname, mac: port.mac }),
	async lay(side, attachment) {
		configureInterface(side, attachment);
		return [shown(attachment)];
	},
	activate: activateInterface,
	strip: async () => {},
	faults: ({ netns, ifname, port }) => sandboxFaults(netns, ifname, port, { routes: true }),
	hops: ({ ifname }) => [ifname],
};

/** A veth pair whose outer end is a port of the switch; what is behind the inner end is the mode's wiring. */
export class VethMode implements AttachmentMode {
	readonly name: Wiring['name'];
	readonly servesSandbox: boolean;
	readonly #deps: VethDeps;
	readonly #wiring: Wiring;

	constructor(deps: VethDeps, options: { readonly wiring: Wiring }) {
		this.#deps = deps;
		this.#wiring = options.wiring;
		this.name = options.wiring.name;
		this.servesSandbox = options.wiring.servesSandbox;
	}

	probe(): Promise<readonly string[]> {
		return this.#wiring.probe();
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { host, bridge } = this.#deps;
		const { device, netns, port } = attachment;
		using namespace = openSandbox(netns);
		createVeth(host.route, { name: device, mtu: port.mtu, peer: { ...this.#wiring.innerEnd(attachment), mtu: port.mtu, namespace } });
		handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
		const interfaces = await withSide(namespace, (side) => this.#wiring.lay(side, attachment));
		return [{ name: device, mac: findLink(host.route, device)?.mac ?? '', mtu: port.mtu }, ...interfaces];
	}

	/**
	 * Only when its flows are there does the sandbox send: a packet that came before would be dropped, and Open vSwitch would go on dropping its like for a
	 * moment, until it has looked through its cache.
	 */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { bridge, clock, observe } = this.#deps;
		const { device, netns, port } = attachment;
		const lap = stopwatch(clock, observe);
		const row = await bridge.add({ device, ifaceId: port.name, ifaceIdVersion: port.ownerUid, about: portMarks(attachment) }, { signal });
		lap('ovs');
		await bridge.installed(row, signal);
		lap('flows');
		using namespace = openSandbox(netns);
		await withSide(namespace, (side) => this.#wiring.activate(side, attachment));
		lap('activate');
	}

	/** Nothing is under way after ADD: the kernel and Open vSwitch hold the port. The precautions are renewed, as somebody may have flushed them. */
	async resume({ device, port }: Attachment): Promise<void> {
		const { host, bridge } = this.#deps;
		if (findLink(host.route, device)) handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
	}

	async disconnect(target: DisconnectTarget, signal: Signal): Promise<void> {
		await this.#deps.bridge.remove(target.device, { signal });
		// Takes the sandbox's end along.
		await removeFromHost(this.#deps.host, target.device);
		using namespace = findSandbox(target.netns);
		if (namespace) await withSide(namespace, (side) => this.#wiring.strip(side, target));
	}

	describe(attachment: Attachment): AttachmentState {
		const { host, bridge } = this.#deps;
		const { device, port } = attachment;
		const plugged = bridge.port(device);
		const faults = [...this.#wiring.faults(attachment)];
		if (!findLink(host.route, device)) faults.push(`${device}, the node's end, is gone`);
		if (plugged?.ifaceId !== port.name) faults.push(`${device} is not plugged into ${bridge.name} as ${port.name}`);
		if (plugged?.error) faults.push(`Open vSwitch cannot use ${device}: ${plugged.error}`);
		return { path: [...this.#wiring.hops(attachment), device, bridge.name], connected: plugged?.installed === true, faults };
	}
}

/** The sandbox's interface in the answer to ADD. */
export function shown({ ifname, netns, port }: Attachment): SandboxInterface {
	return { name: ifname, mac: port.mac, mtu: port.mtu, sandbox: netns };
}
