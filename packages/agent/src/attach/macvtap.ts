import { createMacvtap, deleteLink, findLink, setLink } from '@tapestry/linux';
import type { Attachment, AttachmentMode } from './attachment.ts';
import { receiving } from './macvtap-device.ts';
import type { MacvtapNic } from './macvtap-nic.ts';
import { missingTap, type NodeNeeds } from './node-needs.ts';
import { makePlaceholder, removePlaceholder } from './placeholder.ts';
import { sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { tapName } from './waiting-tap.ts';
import { deviceFaults, nicName, silence, type Wiring } from './wiring.ts';

/** A macvtap on the sandbox's veth, or on a NIC of the node where the attachment says so. */
export function macvtapMode(onVeth: AttachmentMode, onNic: MacvtapNic): AttachmentMode {
	const of = ({ parent }: Attachment) => (parent === undefined ? onVeth : onNic);
	return {
		name: 'macvtap',
		servesSandbox: false,
		probe: (attachment) => (attachment?.parent === undefined ? onVeth.probe() : onNic.probe(attachment)),
		prepare: (attachment) => of(attachment).prepare(attachment),
		connect: (attachment, signal) => of(attachment).connect(attachment, signal),
		resume: (attachment) => of(attachment).resume(attachment),
		async disconnect(target, signal) {
			// Without a record nobody knows which.
			await onNic.disconnect(target);
			await onVeth.disconnect(target, signal);
		},
		describe: (attachment) => of(attachment).describe(attachment),
	};
}

/**
 * A macvtap on the sandbox's end of the veth: Kata's macvtap model, and KubeVirt's binding for one that the pod's network makes. Its character device is
 * what the VMM opens. The guest has the port's MAC and gets its addresses from OVN, as the veth ends in the switch.
 */
export function macvtapWiring({ needs }: { readonly needs: NodeNeeds }): Wiring {
	return {
		name: 'macvtap',
		servesSandbox: false,
		probe: async () => missingTap(needs),
		innerEnd: ({ ifname }) => ({ name: nicName(ifname) }),
		async lay(side, attachment) {
			const { namespace, route } = side;
			const { ifname, netns, port } = attachment;
			silence(namespace, nicName(ifname));
			createMacvtap(route, { name: tapName, mac: port.mac, mtu: port.mtu, on: nicName(ifname) });
			silence(namespace, tapName);
			makePlaceholder(side, { mode: 'macvtap' }, attachment);
			return [shown(attachment), { name: tapName, mac: port.mac, mtu: port.mtu, sandbox: netns }];
		},
		activate({ route }, { ifname }) {
			setLink(route, nicName(ifname), { up: true });
			setLink(route, tapName, receiving);
		},
		async strip(side, { ifname }) {
			if (findLink(side.route, tapName)?.kind === 'macvtap') await deleteLink(tapName, side.namespace);
			await removePlaceholder(side, ifname);
		},
		faults: ({ netns, ifname, port }) => [
			...sandboxFaults(netns, ifname, port, { routes: false }),
			...deviceFaults(netns, { [tapName]: undefined, [nicName(ifname)]: undefined }),
		],
		hops: ({ ifname }) => [tapName, nicName(ifname)],
	};
}
