import type { Signal } from '@tapestry/base';
import { deleteLink, findLink, type Namespace, openRoute } from '@tapestry/linux';
import {
	type Attachment,
	type AttachmentMode,
	type AttachmentState,
	attachmentKey,
	type DisconnectTarget,
	type SandboxInterface,
} from './attachment.ts';
import { removeFromHost } from './host-side.ts';
import { LiftedTap, type LiftedTapDeps } from './lifted-tap.ts';
import { missingTap, type NodeNeeds } from './node-needs.ts';
import { makePlaceholder, removePlaceholder } from './placeholder.ts';
import { findSandbox, openSandbox, sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { makeTap, tapName } from './waiting-tap.ts';

export interface LiftDeps extends LiftedTapDeps {
	readonly needs: NodeNeeds;
}

export interface LiftOptions {
	/** Whether an executable is a VMM, or what opens taps for one. */
	readonly isVmm: (executable: string) => boolean;
}

/**
 * Virtual machines: the launcher's namespace gets a persistent tap for the VMM and a placeholder `eth0` with the machine's addresses, at which kubelet and
 * KubeVirt look. Once the VMM holds the tap it is moved, descriptor and all, into the node's namespace and plugged into the switch: no bridge, veth or
 * NAT between guest and switch.
 */
export class LiftMode implements AttachmentMode {
	readonly name = 'lift';
	readonly servesSandbox = false;
	readonly #deps: LiftDeps;
	readonly #options: LiftOptions;
	readonly #taps = new Map<string, LiftedTap>();
	readonly #unsubscribe: readonly (() => void)[];

	constructor(deps: LiftDeps, options: LiftOptions) {
		this.#deps = deps;
		this.#options = options;
		this.#unsubscribe = [
			// One watch of the node's side for all taps: there each is known by its device.
			deps.monitor.watch(deps.host.namespace, (event) => {
				for (const tap of this.#taps.values()) if (event.type === 'missed' || event.link.name === tap.device) void tap.look();
			}),
			deps.bridge.onChange(() => {
				for (const tap of this.#taps.values()) tap.switchChanged();
			}),
		];
	}

	async probe(): Promise<readonly string[]> {
		return missingTap(this.#deps.needs);
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { netns, port } = attachment;
		using namespace = openSandbox(netns);
		using route = openRoute(namespace);
		makePlaceholder({ namespace, route }, { mode: 'lift' }, attachment);
		const tap = makeTap(namespace, route, attachment);
		return [shown(attachment), { name: tapName, mac: tap?.mac ?? '', mtu: port.mtu, sandbox: netns }];
	}

	/** Resolves at once: the VMM comes when the launcher starts it, and the tap is lifted then. */
	async connect(attachment: Attachment, _signal: Signal): Promise<void> {
		void this.#follow(attachment, openSandbox(attachment.netns)).look();
	}

	async resume(attachment: Attachment): Promise<void> {
		const namespace = findSandbox(attachment.netns);
		if (namespace) await this.#follow(attachment, namespace).look();
		else this.#deps.log.warn('the sandbox of a machine is gone', { attachment: attachmentKey(attachment) });
	}

	async disconnect(target: DisconnectTarget, signal: Signal): Promise<void> {
		const key = attachmentKey(target);
		const tap = this.#taps.get(key);
		this.#taps.delete(key);
		await tap?.stop();
		await this.#deps.bridge.remove(target.device, { signal });
		await removeFromHost(this.#deps.host, target.device);
		using namespace = findSandbox(target.netns);
		if (!namespace) return;
		await deleteLink(tapName, namespace);
		using route = openRoute(namespace);
		await removePlaceholder({ namespace, route }, target.ifname);
	}

	describe({ netns, ifname, device, port }: Attachment): AttachmentState {
		const { host, bridge } = this.#deps;
		const faults = [...sandboxFaults(netns, ifname, port, { routes: false })];
		const plugged = bridge.port(device);
		if (plugged?.error) faults.push(`Open vSwitch cannot use ${device}: ${plugged.error}`);
		const connected = plugged?.installed === true && plugged.ifaceId === port.name;
		const lifted = findLink(host.route, device);
		if (lifted) {
			if (lifted.carrier && plugged?.ifaceId !== port.name) faults.push(`${device} is not plugged into ${bridge.name} as ${port.name}`);
			return { path: [device, bridge.name], connected, faults };
		}
		if (!isTapWaiting(netns)) faults.push(`${tapName} is neither in the sandbox nor on the node`);
		return { path: [tapName], connected: false, faults };
	}

	/** Stops following the taps; they stay where they are. */
	async close(): Promise<void> {
		for (const unsubscribe of this.#unsubscribe) unsubscribe();
		await Promise.all([...this.#taps.values()].map((tap) => tap.stop()));
		this.#taps.clear();
	}

	#follow(attachment: Attachment, namespace: Namespace): LiftedTap {
		const tap = new LiftedTap(this.#deps, { attachment, namespace, isVmm: this.#options.isVmm });
		this.#taps.set(attachmentKey(attachment), tap);
		return tap;
	}
}

function isTapWaiting(netns: string): boolean {
	using namespace = findSandbox(netns);
	if (!namespace) return false;
	using route = openRoute(namespace);
	return findLink(route, tapName) !== undefined;
}
