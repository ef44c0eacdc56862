import { CodedError } from '@tapestry/base';
import { findLink, removeIngressDrop, setLink } from '@tapestry/linux';
import type { Attachment, AttachmentMode } from '../attach/attachment.ts';
import { type HostSide, handToSwitch, type SwitchSide } from '../attach/host-side.ts';
import type { NodeNeeds } from '../attach/node-needs.ts';
import { makePlaceholder, removePlaceholder } from '../attach/placeholder.ts';
import { findSandbox, openSandbox, sandboxFaults } from '../attach/sandbox-side.ts';
import { plugIn, plugState, renewPrecautions } from '../attach/switch-port.ts';
import { shown } from '../attach/veth.ts';
import { withSide } from '../attach/wiring.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import type { VirtualFunctions } from './virtual-functions.ts';
import { withAttachmentFile } from './with-attachment-file.ts';

export interface KataVfioDeps extends SwitchSide {
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
export function kataVfioMode(deps: KataVfioDeps): AttachmentMode {
	return withAttachmentFile(
		{ mode: representorBesidePlaceholder(deps), kata: deps.kata },
		{ name: 'vfio', device: (attachment) => ({ type: 'vfio', pciAddress: addressOf(attachment) }) },
	);
}

function representorBesidePlaceholder({ host, bridge, needs, virtualFunctions }: KataVfioDeps): Omit<AttachmentMode, 'name'> {
	const side = { host, bridge };
	return {
		servesSandbox: false,
		probe: async () => (needs.exists('/dev/vfio/vfio') ? [] : ['there is no /dev/vfio/vfio (modprobe vfio-pci, on a host with an IOMMU)']),
		async prepare(attachment) {
			const { device, netns, port } = attachment;
			const virtualFunction = virtualFunctions.find(addressOf(attachment));
			const { representor } = virtualFunction;
			// One that is in use has our name, or is the port of somebody else: neither may be taken away.
			if (bridge.port(representor)) throw taken(attachment, representor);
			using namespace = openSandbox(netns);
			await withSide(namespace, (sandbox) => makePlaceholder(sandbox, undefined, attachment));
			virtualFunctions.setMac(virtualFunction, port.mac);
			// Kernels before 6.2 rename no device that is up.
			setLink(host.route, representor, { up: false });
			const known = findLink(host.route, representor)?.alias?.startsWith(earlierName) === true;
			setLink(host.route, representor, { name: device, ...(known ? {} : { alias: `${earlierName}${representor}` }) });
			handToSwitch(side, attachment);
			return [shown(attachment)];
		},
		connect: (attachment, signal) => plugIn(bridge, attachment, signal),
		resume: async (attachment) => renewPrecautions(side, attachment),
		async disconnect({ device, ifname, netns }, signal) {
			await bridge.remove(device, { signal });
			await bridge.released(device, { signal });
			letGo(host, device);
			using namespace = findSandbox(netns);
			if (namespace) await withSide(namespace, (sandbox) => removePlaceholder(sandbox, ifname));
		},
		describe(attachment) {
			const { device, ifname, netns, port } = attachment;
			const { connected, faults } = plugState(side, attachment, 'the representor of the virtual function');
			return { path: [device, bridge.name], connected, faults: [...sandboxFaults(netns, ifname, port, { routes: false }), ...faults] };
		},
	};
}

/** The representor stays as long as its virtual function. */
function letGo(host: HostSide, device: string): void {
	const link = findLink(host.route, device);
	removeIngressDrop(host.namespace, device);
	if (!link) return;
	setLink(host.route, link.index, { up: false });
	const name = link.alias?.startsWith(earlierName) ? link.alias.slice(earlierName.length) : undefined;
	if (name === undefined || findLink(host.route, name)) return;
	setLink(host.route, link.index, { name, alias: '' });
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
