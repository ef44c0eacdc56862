import { parseIp } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import { addAddress, getLink, setLink, setNetworkSettings } from '@tapestry/linux';
import { modeMark } from '@tapestry/network';
import { missingProgram, type NodeNeeds } from './node-needs.ts';
import { sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { activateInterface, configureInterface, type Wiring } from './wiring.ts';

/**
 * passt: a process in the sandbox speaks TCP, UDP and ICMP for the guest by sockets of its own. There is no tap; the guest has the sandbox's addresses.
 * The launcher starts it. Source: KubeVirt, cmd/cni/passt-binding, for the settings.
 */
export function passtWiring({ needs }: { readonly needs: NodeNeeds }): Wiring {
	return userStack('passt', async () => missingProgram(needs, 'passt', 'passt'));
}

/** slirp: the VMM's own stack; it is part of QEMU. The guest is behind NAT and only the interface's `ports` are let in, by IPv4. */
export function slirpWiring(): Wiring {
	return userStack('slirp', async () => []);
}

/** Neither runs as root; they answer on the guest's ports, low ones too, and ping for it. */
const settings = { 'ipv4/ip_unprivileged_port_start': 0, 'ipv4/ping_group_range': `${vmmUser}\t${vmmUser}` } as const;

/**
 * What passt calls itself when it advertises the network to the guest: the interface's link-local address, which by default is made of the MAC that the
 * guest has too. No guest listens to a router that has its own address.
 */
const routerAddress = 'fe80::1';

function userStack(name: 'passt' | 'slirp', probe: Wiring['probe']): Wiring {
	return {
		name,
		servesSandbox: true,
		probe,
		innerEnd: ({ ifname, port }) => ({ name: ifname, mac: port.mac }),
		async lay(side, attachment) {
			const { namespace, route } = side;
			const { ifname } = attachment;
			configureInterface(side, attachment);
			setNetworkSettings(namespace, settings);
			if (name === 'passt') {
				setNetworkSettings(namespace, { [`ipv6/conf/${ifname}/addr_gen_mode`]: 1 });
				const ip = parseIp(routerAddress);
				if (ip) addAddress(route, getLink(route, ifname).index, { ip, prefix: 64 });
			}
			setLink(route, ifname, { alias: modeMark({ mode: name }) });
			return [shown(attachment)];
		},
		activate: activateInterface,
		strip: async () => {},
		faults: ({ netns, ifname, port }) => sandboxFaults(netns, ifname, port, { routes: true }),
		hops: ({ ifname }) => [name, ifname],
	};
}
