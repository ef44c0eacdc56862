import { readFileSync } from 'node:fs';
import { CodedError, formatIp, type Signal } from '@tapestry/base';
import { hostTapName } from '@tapestry/host';
import { findLink, getLink, type Link, LinkMonitor, listAddresses, Namespace, type NetlinkSocket, openRoute } from '@tapestry/linux';
import { type AttachmentModeName, type ModeMark, podSideAddresses, readModeMark } from '@tapestry/network';
import { type GuestAddress, type GuestAddresses, nameServersOf } from './addresses/guest-addresses.ts';
import type { Nic } from './config.ts';
import type { MachineNic } from './nics.ts';

/** KubeVirt's names of the pod network's interface, of its tap and of the bridge in between. */
export const interfaceName = 'eth0';
const tap = 'tap0';
const bridge = 'k6t-eth0';

/** A NIC and how the agent has connected it. */
export interface PodNic {
	readonly nic: MachineNic & Nic;
	readonly mode: AttachmentModeName;
	/** Where the VMM listens for the switch. */
	readonly socket?: string;
	/** The pod's own addresses, without prefix lengths. */
	readonly addresses: readonly string[];
}

/**
 * The guest's NIC is the pod's: the tap that the agent made, with the address and MTU of the `eth0` that stands for it. How the two are connected is
 * written on `eth0`; the launcher has to know where it gives the guest its addresses itself.
 */
export function podNic(machine: MachineNic, hostname: string): PodNic {
	using socket = openRoute();
	const link = getLink(socket, interfaceName);
	const { mac, mtu } = link;
	if (!mac) throw new CodedError('LAUNCHER_NIC', "the pod's eth0 has no hardware address");
	const mark = readModeMark(link.alias) ?? { mode: 'lift' };
	const families = givenAddresses(socket, link, mark);
	const nameServers = (): readonly string[] => nameServersOf(readFileSync('/etc/resolv.conf', 'utf8'));
	const addresses: GuestAddresses | undefined = families && {
		...{ bridge: mark.server ?? bridge, mac, hostname, mtu, families, nameServers: nameServers() },
		// Past the switch the routers are those of the network there.
		isRouter: mark.server === undefined,
	};
	const nic = { ...machine, tap, mac, mtu, ...(addresses ? { addresses } : {}) };
	const listens = mark.socket === undefined ? {} : { socket: mark.socket };
	return { nic, mode: mark.mode, ...listens, addresses: ownAddresses(socket, link).map(({ ip }) => formatIp(ip)) };
}

/** In the node's own namespace the agent makes the tap when it sees the launcher's pod, which may be after the launcher has started. */
export async function hostNic(machine: MachineNic, machineUid: string, signal: Signal): Promise<PodNic> {
	const name = hostTapName(machineUid, machine.network);
	using namespace = Namespace.current();
	using socket = openRoute(namespace);
	using monitor = new LinkMonitor();
	const made = Promise.withResolvers<PodNic>();
	const look = (): void => {
		const link = findLink(socket, name);
		const mac = readModeMark(link?.alias)?.mac;
		if (link?.up && mac !== undefined) {
			made.resolve({ nic: { ...machine, tap: name, mac, mtu: link.mtu }, mode: 'tap', addresses: [] });
		}
	};
	const late = (): void =>
		made.reject(
			new CodedError(
				'LAUNCHER_NIC',
				{ what: `there is no tap ${name} for the machine on this node`, why: 'the agent has not made it', fix: "see the agent's log" },
				{ cause: signal.reason },
			),
		);
	signal.addEventListener('abort', late, { once: true });
	monitor.watch(namespace, look);
	look();
	try {
		return await made.promise;
	} finally {
		signal.removeEventListener('abort', late);
	}
}

/** What the launcher gives the guest; undefined where the network does. */
function givenAddresses(socket: NetlinkSocket, link: Link, { mode, server, gateways = [] }: ModeMark): readonly GuestAddress[] | undefined {
	const own = ownAddresses(socket, link);
	if (server !== undefined) {
		return own.map(({ ip, prefix }) => {
			const gateway = gateways.find((address) => address.includes(':') === (ip.family === 6));
			return { family: ip.family, address: formatIp(ip), prefix, gateway };
		});
	}
	if (mode === 'bridge') {
		// KubeVirt's serves IPv4 only; IPv6 the guest gets from the network behind the bridge.
		const gateway = gateways.find((address) => !address.includes(':'));
		return own.filter(({ ip }) => ip.family === 4).map(({ ip, prefix }) => ({ family: 4, address: formatIp(ip), prefix, gateway }));
	}
	if (mode !== 'masquerade') return undefined;
	return ([4, 6] as const)
		.filter((family) => own.some(({ ip }) => ip.family === family))
		.map((family) => {
			const { guest, gateway, prefix } = podSideAddresses[family];
			return { family, address: guest, prefix, gateway };
		});
}

function ownAddresses(socket: NetlinkSocket, { index }: Link) {
	return listAddresses(socket).filter(({ link, ip }) => link === index && !formatIp(ip).startsWith('fe80:'));
}
