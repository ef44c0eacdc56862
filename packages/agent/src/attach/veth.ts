import type { Clock, Signal } from '@tapestry/base';
import { createVeth, findLink, type LinkMonitor } from '@tapestry/linux';
import { type Observe, stopwatch } from '../metrics.ts';
import type { Attachment, AttachmentMode, AttachmentState, DisconnectTarget, SandboxInterface } from './attachment.ts';
import { handToSwitch, removeFromHost, type SwitchSide, untilOperational } from './host-side.ts';
import { findSandbox, openSandbox, sandboxFaults } from './sandbox-side.ts';
import { plugState, renewPrecautions, switchPort } from './switch-port.ts';
import { activateInterface, configureInterface, type Wiring, withSide } from './wiring.ts';

export interface VethDeps extends SwitchSide {
	readonly clock: Clock;
	readonly observe: Observe;
	readonly monitor: LinkMonitor;
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
		const { host } = this.#deps;
		const { device, netns, port } = attachment;
		using namespace = openSandbox(netns);
		createVeth(host.route, { name: device, mtu: port.mtu, peer: { ...this.#wiring.innerEnd(attachment), mtu: port.mtu, namespace } });
		handToSwitch(this.#deps, attachment);
		const interfaces = await withSide(namespace, (side) => this.#wiring.lay(side, attachment));
		return [{ name: device, mac: findLink(host.route, device)?.mac ?? '', mtu: port.mtu }, ...interfaces];
	}

	/**
	 * Only when its flows are there does the sandbox send: a packet that came before would be dropped, and Open vSwitch would go on dropping its like for a
	 * moment, until it has looked through its cache.
	 */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { bridge, clock, observe } = this.#deps;
		const lap = stopwatch(clock, observe);
		const row = await bridge.add(switchPort(attachment), { signal });
		lap('ovs');
		await bridge.installed(row, signal);
		lap('flows');
		using namespace = openSandbox(attachment.netns);
		await withSide(namespace, (side) => this.#wiring.activate(side, attachment));
		await untilOperational(this.#deps, attachment.device, signal);
		lap('activate');
	}

	/** Nothing is under way after ADD. */
	async resume(attachment: Attachment): Promise<void> {
		renewPrecautions(this.#deps, attachment);
	}

	async disconnect(target: DisconnectTarget, signal: Signal): Promise<void> {
		await this.#deps.bridge.remove(target.device, { signal });
		// Takes the sandbox's end along.
		await removeFromHost(this.#deps.host, target.device);
		using namespace = findSandbox(target.netns);
		if (namespace) await withSide(namespace, (side) => this.#wiring.strip(side, target));
	}

	describe(attachment: Attachment): AttachmentState {
		const { connected, faults } = plugState(this.#deps, attachment, "the node's end");
		const path = [...this.#wiring.hops(attachment), attachment.device, this.#deps.bridge.name];
		return { path, connected, faults: [...this.#wiring.faults(attachment), ...faults] };
	}
}

/** The sandbox's interface in the answer to ADD. */
export function shown({ ifname, netns, port }: Attachment): SandboxInterface {
	return { name: ifname, mac: port.mac, mtu: port.mtu, sandbox: netns };
}
