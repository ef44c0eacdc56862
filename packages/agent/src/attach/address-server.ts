import { parseIp } from '@tapestry/base';
import {
	addAddress,
	createVeth,
	deleteLink,
	disableTransmitChecksumOffload,
	findLink,
	findRedirection,
	getLink,
	redirectIngress,
	setLink,
	setNetworkSettings,
} from '@tapestry/linux';
import { bridgeServerAddress, type DevicePlace, deviceServerMac, linkLocal } from '@tapestry/network';
import type { Attachment } from './attachment.ts';
import { parseInterfaceAddress } from './sandbox-side.ts';
import { tapName } from './waiting-tap.ts';
import { nicName, podBridge, type SandboxSide, silence } from './wiring.ts';

/** The guest's macvtap and who gives it its addresses, in the sandbox. */
export function devicePlace(ifname: string): DevicePlace {
	const v6 = linkLocal(deviceServerMac);
	return {
		device: tapName,
		server: { device: podBridge(ifname), outer: nicName(ifname), mac: deviceServerMac, v4: bridgeServerAddress, v6 },
	};
}

/**
 * Makes the interface on which the launcher gives the guest its addresses, where the guest's own device leads out of the node. It is one end of a veth: the
 * device's rules send the guest's questions to the other end, and what that receives is received by the guest's device, as if the network had sent it.
 */
export function layAddressServer({ namespace, route }: SandboxSide, { ifname, port }: Attachment): void {
	const { device, server } = devicePlace(ifname);
	createVeth(route, { name: server.device, mac: server.mac, mtu: port.mtu, peer: { name: server.outer, mtu: port.mtu } });
	silence(namespace, server.outer);
	const v6 = port.addresses.filter(({ address }) => address.includes(':'));
	setNetworkSettings(namespace, {
		'ipv4/ip_forward': 0,
		[`ipv6/conf/${server.device}/disable_ipv6`]: v6.length > 0 ? 0 : 1,
		[`ipv6/conf/${server.device}/accept_dad`]: 0,
		[`ipv6/conf/${server.device}/accept_ra`]: 0,
	});
	disableTransmitChecksumOffload(namespace, server.device);
	const { index } = getLink(route, server.device);
	const v4 = parseIp(server.v4);
	if (v4) addAddress(route, index, { ip: v4, prefix: 32 });
	// dnsmasq advertises the prefixes in which its interface has an address. The gateway's never leaves this veth: nobody is led to it.
	for (const { address, gateway } of v6) {
		const own = parseInterfaceAddress({ address });
		const ip = gateway === undefined ? undefined : parseIp(gateway);
		if (ip) addAddress(route, index, { ip, prefix: own.prefix });
	}
	redirectIngress(route, server.outer, device, 'received');
	for (const name of [server.outer, server.device]) setLink(route, name, { up: true });
}

/** Whether the sandbox has such an interface: other modes have others under its name. */
export function hasAddressServer({ route }: SandboxSide, ifname: string): boolean {
	const link = findLink(route, devicePlace(ifname).server.device);
	return link?.kind === 'veth' && link.mac === deviceServerMac;
}

export async function removeAddressServer(side: SandboxSide, ifname: string): Promise<void> {
	if (hasAddressServer(side, ifname)) await deleteLink(devicePlace(ifname).server.device, side.namespace);
}

/** What of it is not as it was made. */
export function addressServerFaults(side: SandboxSide, ifname: string): readonly string[] {
	const { device, server } = devicePlace(ifname);
	if (!hasAddressServer(side, ifname)) return [`${server.device}, where the guest gets its addresses, is gone`];
	const target = findLink(side.route, device);
	if (!target || findRedirection(side.route, server.outer) === target.index) return [];
	return [`what arrives at ${server.outer} is not redirected to ${device}`];
}
