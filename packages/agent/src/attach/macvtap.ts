import { createMacvtap, deleteLink, findLink, setLink } from '@tapestry/linux';
import { missingTap, type NodeNeeds } from './node-needs.ts';
import { makePlaceholder, removePlaceholder } from './placeholder.ts';
import { sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { tapName } from './waiting-tap.ts';
import { deviceFaults, nicName, silence, type Wiring } from './wiring.ts';

/**
 * A macvtap on the sandbox's end of the veth: Kata's macvtap model, and KubeVirt's binding for one that the pod's network makes. Its character device is
 * what the VMM opens. The guest has the port's MAC and gets its addresses from OVN, as the veth ends in the switch: so policies hold here too, which
 * they do not for a macvtap on a NIC of the node.
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
			for (const device of [nicName(ifname), tapName]) setLink(route, device, { up: true });
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
