import { CodedError, type Signal } from '@tapestry/base';
import { findLink, openRoute, removeIngressDrop, setLink } from '@tapestry/linux';
import {
	type Attachment,
	type AttachmentMode,
	type AttachmentState,
	type DisconnectTarget,
	portMarks,
	type SandboxInterface,
} from '../attach/attachment.ts';
import { type HostSide, handToSwitch } from '../attach/host-side.ts';
import type { NodeNeeds } from '../attach/node-needs.ts';
import { makePlaceholder, removePlaceholder } from '../attach/placeholder.ts';
import { findSandbox, openSandbox, sandboxFaults } from '../attach/sandbox-side.ts';
import { shown } from '../attach/veth.ts';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import { directAttachment } from './direct-attachment.ts';
import type { VirtualFunctions } from './virtual-functions.ts';

export interface KataVfioDeps {
	readonly host: HostSide;
	readonly bridge: IntegrationBridge;
	readonly needs: NodeNeeds;
	readonly kata: AttachmentFiles;
	readonly virtualFunctions: VirtualFunctions;
}

/** Before the name that a representor had, in its alias. */
const earlierName = 'tapestry:was=';

/**
 * Kata sandboxes by direct attachment of a virtual function, which Kata's Go runtime gives to its machine. Its representor is the port of the switch, so
 * that it is under policy like any other; it has our name while it is, by which it is found again without a record.
 */
export class KataVfioMode implements AttachmentMode {
	readonly name = 'vfio';
	readonly servesSandbox = false;
	readonly #deps: KataVfioDeps;

	constructor(deps: KataVfioDeps) {
		this.#deps = deps;
	}

	async probe(): Promise<readonly string[]> {
		return this.#deps.needs.exists('/dev/vfio/vfio') ? [] : ['there is no /dev/vfio/vfio (modprobe vfio-pci, on a host with an IOMMU)'];
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { host, bridge, virtualFunctions } = this.#deps;
		const { device, netns, port } = attachment;
		const virtualFunction = virtualFunctions.find(addressOf(attachment));
		const { representor } = virtualFunction;
		// One that is in use has our name, or is the port of somebody else: neither may be taken away.
		if (bridge.port(representor)) throw taken(attachment, representor);
		using namespace = openSandbox(netns);
		using route = openRoute(namespace);
		setLink(route, 'lo', { up: true });
		makePlaceholder({ namespace, route }, undefined, attachment);
		virtualFunctions.setMac(virtualFunction, port.mac);
		// Kernels before 6.2 rename no device that is up.
		setLink(host.route, representor, { up: false });
		const known = findLink(host.route, representor)?.alias?.startsWith(earlierName) === true;
		setLink(host.route, representor, { name: device, ...(known ? {} : { alias: `${earlierName}${representor}` }) });
		handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
		return [shown(attachment)];
	}

	/** Kata starts after ADD has answered: the file is there then, and what the guest sends first gets through. */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { bridge, kata } = this.#deps;
		const { containerId, device, ifname, port } = attachment;
		const row = await bridge.add({ device, ifaceId: port.name, ifaceIdVersion: port.ownerUid, about: portMarks(attachment) }, { signal });
		await bridge.installed(row, signal);
		kata.write(containerId, directAttachment(ifname, port, { type: 'vfio', pciAddress: addressOf(attachment) }));
	}

	/** The kernel and Open vSwitch hold the port. The precautions are renewed, as somebody may have flushed them. */
	async resume({ device, port }: Attachment): Promise<void> {
		const { host, bridge } = this.#deps;
		if (findLink(host.route, device)) handToSwitch(host, device, { mtu: port.mtu, userspace: bridge.userspace });
	}

	/** The representor stays as long as its virtual function: it is let go. */
	async disconnect({ containerId, device, ifname, netns }: DisconnectTarget, signal: Signal): Promise<void> {
		const { bridge, kata } = this.#deps;
		kata.remove(containerId);
		await bridge.remove(device, { signal });
		this.#letGo(device);
		using namespace = findSandbox(netns);
		if (!namespace) return;
		using route = openRoute(namespace);
		await removePlaceholder({ namespace, route }, ifname);
	}

	describe({ containerId, device, ifname, netns, port }: Attachment): AttachmentState {
		const { host, bridge, kata } = this.#deps;
		const plugged = bridge.port(device);
		const faults = [...sandboxFaults(netns, ifname, port, { routes: false })];
		if (!findLink(host.route, device)) faults.push(`${device}, the representor of the virtual function, is gone`);
		if (plugged?.ifaceId !== port.name) faults.push(`${device} is not plugged into ${bridge.name} as ${port.name}`);
		if (plugged?.error) faults.push(`Open vSwitch cannot use ${device}: ${plugged.error}`);
		if (!kata.has(containerId)) faults.push("Kata's file of the sandbox's NIC is gone");
		return { path: [device, bridge.name], connected: plugged?.installed === true, faults };
	}

	#letGo(device: string): void {
		const { host } = this.#deps;
		const link = findLink(host.route, device);
		removeIngressDrop(host.namespace, device);
		if (!link) return;
		setLink(host.route, link.index, { up: false });
		const name = link.alias?.startsWith(earlierName) ? link.alias.slice(earlierName.length) : undefined;
		if (name === undefined || findLink(host.route, name)) return;
		setLink(host.route, link.index, { name, alias: '' });
	}
}

function addressOf({ pciAddress }: Attachment): string {
	if (pciAddress !== undefined) return pciAddress;
	throw new CodedError('AGENT_VIRTUAL_FUNCTION', {
		what: 'the pod cannot be connected by vfio',
		why: 'no virtual function was allotted to it',
		fix: 'let the pod request one',
	});
}

const taken = ({ pciAddress }: Attachment, representor: string): CodedError =>
	new CodedError('AGENT_VIRTUAL_FUNCTION', {
		what: `${pciAddress} cannot be plugged into the switch`,
		why: `its representor ${representor} is a port already`,
		fix: 'see ovs-vsctl show: delete the sandbox that has it, or take it out of the switch',
	});
