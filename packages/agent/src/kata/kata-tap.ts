import type { Signal } from '@tapestry/base';
import { createTap, findLink, openRoute, setLink } from '@tapestry/linux';
import {
	type Attachment,
	type AttachmentMode,
	type AttachmentState,
	type DisconnectTarget,
	portMarks,
	type SandboxInterface,
} from '../attach/attachment.ts';
import { type HostSide, handToSwitch, removeFromHost } from '../attach/host-side.ts';
import { missingTap, type NodeNeeds } from '../attach/node-needs.ts';
import { makePlaceholder, removePlaceholder } from '../attach/placeholder.ts';
import { findSandbox, openSandbox, sandboxFaults } from '../attach/sandbox-side.ts';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import { directAttachment } from './direct-attachment.ts';

export interface KataTapDeps {
	readonly host: HostSide;
	readonly bridge: IntegrationBridge;
	readonly needs: NodeNeeds;
	readonly kata: AttachmentFiles;
}

/** Kata's VMM runs as root. */
const root = 0;

/**
 * Kata sandboxes by direct attachment: a tap of the node, a port of the switch from the start, which Kata's runtime-rs opens for its machine; a file tells
 * it which, and what addresses the guest has. Kata leaves the sandbox's namespace aside then, so `eth0` there only shows the addresses to kubelet.
 */
export class KataTapMode implements AttachmentMode {
	readonly name = 'host-tap';
	readonly servesSandbox = false;
	readonly #deps: KataTapDeps;

	constructor(deps: KataTapDeps) {
		this.#deps = deps;
	}

	async probe(): Promise<readonly string[]> {
		return missingTap(this.#deps.needs);
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { host, bridge } = this.#deps;
		const { device, ifname, netns, port, queues } = attachment;
		using namespace = openSandbox(netns);
		using route = openRoute(namespace);
		setLink(route, 'lo', { up: true });
		makePlaceholder({ namespace, route }, undefined, attachment);
		createTap(host.namespace, { name: device, uid: root, gid: root, multiQueue: queues > 1 });
		handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
		return [
			{ name: device, mac: findLink(host.route, device)?.mac ?? '', mtu: port.mtu },
			{ name: ifname, mac: port.mac, mtu: port.mtu, sandbox: netns },
		];
	}

	/** Kata starts after ADD has answered: the file is there then, and what the guest sends first gets through. */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { bridge, kata } = this.#deps;
		const { containerId, device, ifname, port, queues } = attachment;
		const row = await bridge.add({ device, ifaceId: port.name, ifaceIdVersion: port.ownerUid, about: portMarks(attachment) }, { signal });
		await bridge.installed(row, signal);
		kata.write(containerId, directAttachment(ifname, port, { type: 'host-tap', tap: device, queues }));
	}

	/** The kernel and Open vSwitch hold the port. The precautions are renewed, as somebody may have flushed them. */
	async resume({ device, port }: Attachment): Promise<void> {
		const { host, bridge } = this.#deps;
		if (findLink(host.route, device)) handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
	}

	async disconnect({ containerId, device, ifname, netns }: DisconnectTarget, signal: Signal): Promise<void> {
		const { host, bridge, kata } = this.#deps;
		kata.remove(containerId);
		await bridge.remove(device, { signal });
		await removeFromHost(host, device);
		using namespace = findSandbox(netns);
		if (!namespace) return;
		using route = openRoute(namespace);
		await removePlaceholder({ namespace, route }, ifname);
	}

	describe({ containerId, device, ifname, netns, port }: Attachment): AttachmentState {
		const { host, bridge, kata } = this.#deps;
		const plugged = bridge.port(device);
		const faults = [...sandboxFaults(netns, ifname, port, { routes: false })];
		if (!findLink(host.route, device)) faults.push(`${device}, the tap, is gone`);
		if (plugged?.ifaceId !== port.name) faults.push(`${device} is not plugged into ${bridge.name} as ${port.name}`);
		if (plugged?.error) faults.push(`Open vSwitch cannot use ${device}: ${plugged.error}`);
		if (!kata.has(containerId)) faults.push("Kata's file of the sandbox's NIC is gone");
		return { path: [device, bridge.name], connected: plugged?.installed === true, faults };
	}
}
