import { createTap, findLink } from '@tapestry/linux';
import type { AttachmentMode } from '../attach/attachment.ts';
import { handToSwitch, removeFromHost, type SwitchSide } from '../attach/host-side.ts';
import { missingTap, type NodeNeeds } from '../attach/node-needs.ts';
import { makePlaceholder, removePlaceholder } from '../attach/placeholder.ts';
import { findSandbox, openSandbox, sandboxFaults } from '../attach/sandbox-side.ts';
import { plugIn, plugState, renewPrecautions } from '../attach/switch-port.ts';
import { shown } from '../attach/veth.ts';
import { withSide } from '../attach/wiring.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import { withAttachmentFile } from './with-attachment-file.ts';

export interface KataTapDeps extends SwitchSide {
	readonly needs: NodeNeeds;
	readonly kata: AttachmentFiles;
}

/** Kata's VMM runs as root. */
const root = 0;

/**
 * Kata sandboxes by direct attachment: a tap of the node, a port of the switch from the start, which Kata's runtime-rs opens for its machine; a file tells
 * it which, and what addresses the guest has. Kata leaves the sandbox's namespace aside then, so `eth0` there only shows the addresses to kubelet.
 */
export function kataTapMode(deps: KataTapDeps): AttachmentMode {
	return withAttachmentFile(
		{ mode: tapBesidePlaceholder(deps), kata: deps.kata },
		{ name: 'host-tap', device: ({ device, queues }) => ({ type: 'host-tap', tap: device, queues }) },
	);
}

function tapBesidePlaceholder({ host, bridge, needs }: KataTapDeps): Omit<AttachmentMode, 'name'> {
	const side = { host, bridge };
	return {
		servesSandbox: false,
		probe: async () => missingTap(needs),
		async prepare(attachment) {
			const { device, netns, port, queues } = attachment;
			using namespace = openSandbox(netns);
			await withSide(namespace, (sandbox) => makePlaceholder(sandbox, undefined, attachment));
			createTap(host.namespace, { name: device, uid: root, gid: root, multiQueue: queues > 1 });
			handToSwitch(side, attachment);
			return [{ name: device, mac: findLink(host.route, device)?.mac ?? '', mtu: port.mtu }, shown(attachment)];
		},
		connect: (attachment, signal) => plugIn(bridge, attachment, signal),
		resume: async (attachment) => renewPrecautions(side, attachment),
		async disconnect({ device, ifname, netns }, signal) {
			await bridge.remove(device, { signal });
			await removeFromHost(host, device);
			using namespace = findSandbox(netns);
			if (namespace) await withSide(namespace, (sandbox) => removePlaceholder(sandbox, ifname));
		},
		describe(attachment) {
			const { device, ifname, netns, port } = attachment;
			const { connected, faults } = plugState(side, attachment, 'the tap');
			return { path: [device, bridge.name], connected, faults: [...sandboxFaults(netns, ifname, port, { routes: false }), ...faults] };
		},
	};
}
