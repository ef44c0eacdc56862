import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Signal } from '@tapestry/base';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import type { Attachment, AttachmentMode, AttachmentState, DisconnectTarget, SandboxInterface } from './attachment.ts';
import { makePlaceholder, removePlaceholder } from './placeholder.ts';
import { findSandbox, openSandbox, sandboxFaults } from './sandbox-side.ts';
import { portFaults, switchPort } from './switch-port.ts';
import { shown } from './veth.ts';
import { withSide } from './wiring.ts';

/** The interface type of Open vSwitch for a VMM that listens (Documentation/topics/dpdk/vhost-user.rst). */
const interfaceType = 'dpdkvhostuserclient';

export interface VhostUserDeps {
	readonly bridge: IntegrationBridge;
}

export interface VhostUserOptions {
	/** Where the sockets are, one directory for each machine. Launchers have to see it under the same path. */
	readonly sockets: string;
}

/**
 * The guest's memory is shared with an Open vSwitch that has DPDK: neither a tap nor the kernel is in between. The VMM makes the socket and the switch
 * connects to it, again and again, so that either may restart. The sandbox has a placeholder, as with the lift.
 */
export class VhostUserMode implements AttachmentMode {
	readonly name = 'vhost-user';
	readonly servesSandbox = false;
	readonly #deps: VhostUserDeps;
	readonly #sockets: string;

	constructor(deps: VhostUserDeps, options: VhostUserOptions) {
		this.#deps = deps;
		this.#sockets = options.sockets;
	}

	async probe(): Promise<readonly string[]> {
		const { initialized, interfaceTypes } = this.#deps.bridge.dpdk;
		if (!initialized) {
			return ['Open vSwitch runs without DPDK (Debian: openvswitch-switch-dpdk and librte-mempool-ring23; other_config:dpdk-init)'];
		}
		return interfaceTypes.includes(interfaceType) ? [] : [`Open vSwitch knows no interface of type ${interfaceType}`];
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { device, netns } = attachment;
		mkdirSync(this.#directory(device), { recursive: true, mode: 0o755 });
		using namespace = openSandbox(netns);
		const mark = { mode: 'vhost-user', socket: this.socket(device) } as const;
		await withSide(namespace, (side) => makePlaceholder(side, mark, attachment));
		return [shown(attachment)];
	}

	/** The flows do not wait for the VMM. What Open vSwitch says at once, such as that it cannot make the port, ends the ADD. */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { bridge } = this.#deps;
		const { device, port } = attachment;
		const type = { name: interfaceType, options: { 'vhost-server-path': this.socket(device) } } as const;
		const row = await bridge.add({ ...switchPort(attachment), type, mtu: port.mtu }, { signal });
		await bridge.installed(row, signal);
	}

	/** The switch holds the port and connects by itself. */
	async resume(): Promise<void> {}

	async disconnect({ device, ifname, netns }: DisconnectTarget, signal: Signal): Promise<void> {
		await this.#deps.bridge.remove(device, { signal });
		rmSync(this.#directory(device), { recursive: true, force: true });
		using namespace = findSandbox(netns);
		if (namespace) await withSide(namespace, (side) => removePlaceholder(side, ifname));
	}

	describe({ device, ifname, netns, port }: Attachment): AttachmentState {
		const { bridge } = this.#deps;
		const plugged = bridge.port(device);
		const faults = [...sandboxFaults(netns, ifname, port, { routes: false }), ...portFaults(bridge, { device, port })];
		const isUp = plugged?.linkState === 'up';
		// The database takes a port that the switch cannot bring to life, and Open vSwitch reports no error of it.
		if (plugged?.peerConnected && !isUp) {
			faults.push(
				`${device} is dead although the guest has connected: ovs-vswitchd.log says why (no memory pool: librte-mempool-ring or memory is missing)`,
			);
		}
		return { path: [this.socket(device), device, bridge.name], connected: isUp && plugged.installed, faults };
	}

	/** Where the VMM listens. */
	socket(device: string): string {
		return join(this.#directory(device), 'socket');
	}

	#directory(device: string): string {
		return join(this.#sockets, device);
	}
}
