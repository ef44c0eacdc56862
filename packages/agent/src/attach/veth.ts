import type { Clock, Signal } from '@tapestry/base';
import {
	createVeth,
	disableTransmitChecksumOffload,
	findLink,
	type Namespace,
	openRoute,
	setLink,
	setNetworkSettings,
} from '@tapestry/linux';
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
import { addDefaultRoutes, addPortAddresses, openSandbox, sandboxFaults } from './sandbox-side.ts';

export interface VethDeps {
	readonly clock: Clock;
	readonly observe: Observe;
	readonly host: HostSide;
	readonly bridge: IntegrationBridge;
}

/** Containers: a veth pair, one end `eth0` in the sandbox with the port's addresses, the other a port of the switch. */
export class VethMode implements AttachmentMode {
	readonly name = 'veth';
	readonly servesSandbox = true;
	readonly #deps: VethDeps;

	constructor(deps: VethDeps) {
		this.#deps = deps;
	}

	/** Every kernel with namespaces has what this takes. */
	async probe(): Promise<readonly string[]> {
		return [];
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { host, bridge } = this.#deps;
		const { device, ifname, netns, port } = attachment;
		using namespace = openSandbox(netns);
		createVeth(host.route, {
			name: device,
			mtu: port.mtu,
			peer: { name: ifname, mac: port.mac, mtu: port.mtu, namespace },
		});
		handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
		configure(namespace, attachment);
		return [
			{ name: device, mac: findLink(host.route, device)?.mac ?? '', mtu: port.mtu },
			{ name: ifname, mac: port.mac, mtu: port.mtu, sandbox: netns },
		];
	}

	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { bridge, clock, observe } = this.#deps;
		const { device, port } = attachment;
		const lap = stopwatch(clock, observe);
		const row = await bridge.add({ device, ifaceId: port.name, ifaceIdVersion: port.ownerUid, about: portMarks(attachment) }, { signal });
		lap('ovs');
		await bridge.installed(row, signal);
		lap('flows');
		activate(attachment);
		lap('activate');
	}

	/** Nothing is under way after ADD: the kernel and Open vSwitch hold the port. The precautions are renewed, as somebody may have flushed them. */
	async resume({ device, port }: Attachment): Promise<void> {
		const { host, bridge } = this.#deps;
		if (findLink(host.route, device)) handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
	}

	async disconnect({ device }: DisconnectTarget, signal: Signal): Promise<void> {
		await this.#deps.bridge.remove(device, { signal });
		// Takes the sandbox's end along.
		await removeFromHost(this.#deps.host, device);
	}

	describe({ device, ifname, netns, port }: Attachment): AttachmentState {
		const { host, bridge } = this.#deps;
		const plugged = bridge.port(device);
		const faults = [...sandboxFaults(netns, ifname, port, { routes: true })];
		if (!findLink(host.route, device)) faults.push(`${device}, the node's end, is gone`);
		if (plugged?.ifaceId !== port.name) faults.push(`${device} is not plugged into ${bridge.name} as ${port.name}`);
		if (plugged?.error) faults.push(`Open vSwitch cannot use ${device}: ${plugged.error}`);
		return { path: [ifname, device, bridge.name], connected: plugged?.installed === true, faults };
	}
}

function configure(namespace: Namespace, { ifname, port }: Attachment): void {
	using route = openRoute(namespace);
	setNetworkSettings(namespace, {
		// A runtime may have made the namespace without IPv6; the lease decides.
		[`ipv6/conf/${ifname}/disable_ipv6`]: 0,
		// Addresses and routes come from the lease alone, and at once: detection of duplicates would keep even the link-local address back.
		[`ipv6/conf/${ifname}/accept_ra`]: 0,
		[`ipv6/conf/${ifname}/accept_dad`]: 0,
	});
	disableTransmitChecksumOffload(namespace, ifname);
	addPortAddresses(route, ifname, port);
}

/**
 * Only now does the sandbox send: a packet that came before the port's flows would be dropped, and Open vSwitch would go on dropping its like for a
 * moment, until it has looked through its cache.
 */
function activate({ ifname, netns, port }: Attachment): void {
	using namespace = openSandbox(netns);
	using route = openRoute(namespace);
	setLink(route, 'lo', { up: true });
	setLink(route, ifname, { up: true });
	addDefaultRoutes(route, ifname, port);
}
