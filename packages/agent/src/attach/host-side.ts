import { CodedError, type Signal } from '@tapestry/base';
import {
	deleteLink,
	dropIngress,
	getLink,
	type LinkMonitor,
	type Namespace,
	type NetlinkSocket,
	operational,
	removeIngressDrop,
	setLink,
	setNetworkSettings,
} from '@tapestry/linux';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import { waitFor } from '../wait-for.ts';
import type { Attachment } from './attachment.ts';

export interface HostSide {
	/** The node's own namespace. */
	readonly namespace: Namespace;
	/** Route socket in it. */
	readonly route: NetlinkSocket;
}

/** The node and its switch, as every mode that ends in the switch knows them. */
export interface SwitchSide {
	readonly host: HostSide;
	readonly bridge: IntegrationBridge;
}

/**
 * Makes a device that is about to be plugged into the switch belong to the switch alone, then sets it up. On the userspace datapath the host's
 * stack receives every packet of the device beside Open vSwitch: unless told otherwise it answers ARP for all its addresses, ICMP, router
 * solicitations and TCP to its services, past every policy of OVN. IPv6 off and NOARP come first, while the device is still down: going up would
 * give it a link-local address. The drop covers the rest; on the kernel datapath Open vSwitch takes packets before the stack but after that hook,
 * so there it would cut the port off and is not needed.
 */
export function handToSwitch({ host, bridge }: SwitchSide, { device, port }: Pick<Attachment, 'device' | 'port'>): void {
	setNetworkSettings(host.namespace, { [`ipv6/conf/${device}/disable_ipv6`]: 1 });
	if (bridge.userspace) dropIngress(host.namespace, device);
	setLink(host.route, device, { arp: false, mtu: port.mtu, up: true });
}

/** Deletes a device of the switch with what `handToSwitch` set up for it; does nothing when there is none. */
export async function removeFromHost(host: HostSide, device: string): Promise<void> {
	await deleteLink(device, host.namespace);
	removeIngressDrop(host.namespace, device);
}

/**
 * Resolves when a device of the node whose other end has come up passes on what the switch sends. The kernel deals with the carrier of that end in its own
 * time (linkwatch), which is long on a busy node, and drops all until it has. Newer kernels (6.8) have done it when they answer a question about the link.
 */
export async function untilOperational(
	{ host, monitor }: { readonly host: HostSide; readonly monitor: LinkMonitor },
	device: string,
	signal: Signal,
): Promise<void> {
	const check = (): true | undefined => (getLink(host.route, device).operState === operational ? true : undefined);
	if (check()) return;
	await waitFor(
		(listener) => monitor.watchLink(host.namespace, device, listener),
		check,
		signal,
		() =>
			new CodedError(
				'AGENT_NO_CARRIER',
				{ what: `device ${device} passes nothing on`, why: 'its other end, in the sandbox, did not come up in time' },
				{ cause: signal.reason },
			),
	);
}
