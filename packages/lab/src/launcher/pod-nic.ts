import { readFileSync } from 'node:fs';
import { CodedError, formatIp } from '@tapestry/base';
import { getLink, type Link, listAddresses, type NetlinkSocket, openRoute } from '@tapestry/linux';
import { type ModeMark, podSideAddresses, readModeMark } from '@tapestry/network';
import { type GuestAddress, type GuestAddresses, nameServersOf } from './addresses/guest-addresses.ts';
import type { Nic } from './config.ts';
import type { MachineNic } from './nics.ts';

/** KubeVirt's names of the pod network's interface, of its tap and of the bridge in between. */
const interfaceName = 'eth0';
const tap = 'tap0';
const bridge = 'k6t-eth0';

/**
 * The guest's NIC is the pod's: the tap that the agent made, with the address and MTU of the `eth0` that stands for it. How the two are connected is
 * written on `eth0`; the launcher has to know where it gives the guest its addresses itself.
 */
export function podNic(nic: MachineNic, hostname: string): Nic {
	using socket = openRoute();
	const link = getLink(socket, interfaceName);
	const { mac, mtu } = link;
	if (!mac) throw new CodedError('LAUNCHER_NIC', "the pod's eth0 has no hardware address");
	const mark = readModeMark(link.alias);
	const families = mark && givenAddresses(socket, link, mark);
	const shared = { bridge, mac, hostname, mtu };
	const addresses: GuestAddresses | undefined = families && {
		...shared,
		families,
		nameServers: nameServersOf(readFileSync('/etc/resolv.conf', 'utf8')),
	};
	return { ...nic, tap, mac, mtu, ...(addresses ? { addresses } : {}) };
}

/** What the launcher gives the guest; undefined where the network does. */
function givenAddresses(socket: NetlinkSocket, link: Link, { mode, gateways = [] }: ModeMark): readonly GuestAddress[] | undefined {
	const own = listAddresses(socket).filter(({ link: index }) => index === link.index);
	if (mode === 'bridge') {
		// KubeVirt's serves IPv4 only; IPv6 the guest gets from the network behind the bridge.
		return own
			.filter(({ ip }) => ip.family === 4)
			.map(({ ip, prefix }) => ({
				family: 4,
				address: formatIp(ip),
				prefix,
				gateway: gateways.find((gateway) => !gateway.includes(':')),
			}));
	}
	if (mode !== 'masquerade') return undefined;
	return ([4, 6] as const)
		.filter((family) => own.some(({ ip }) => ip.family === family && !isLinkLocal(formatIp(ip))))
		.map((family) => {
			const { guest, gateway, prefix } = podSideAddresses[family];
			return { family, address: guest, prefix, gateway };
		});
}

const isLinkLocal = (address: string): boolean => address.startsWith('fe80:');
