import type { Port } from '../port.ts';

/** A device as Kata opens it. Which runtime that is follows from its type: no two have one in common. */
export type KataDevice =
	/** runtime-rs: a tap of the node. */
	| { readonly type: 'host-tap'; readonly tap: string; readonly queues: number }
	/** runtime-rs with Dragonball, which makes the socket: the path must not exist yet. */
	| { readonly type: 'vhost-user'; readonly socket: string }
	/** The Go runtime: a virtual function. */
	| { readonly type: 'vfio'; readonly pciAddress: string };

/** Kata's "Directly Attachable Network" (kata-containers, docs/design/proposals/dan.md; PR 7383), what is written of it. */
export interface DirectAttachment {
	/** The namespace to look for the device in; null is the runtime's own, which is the node's. */
	readonly netns: null;
	readonly devices: readonly {
		readonly name: string;
		readonly guest_mac: string;
		readonly device: Readonly<Record<string, string | number>>;
		readonly network_info: {
			readonly interface: {
				readonly ip_addresses: readonly string[];
				readonly mtu: number;
				readonly ntype: string;
				readonly flags: number;
			};
			readonly routes: readonly KataRoute[];
			readonly neighbors: readonly never[];
		};
	}[];
}

/** Empty texts are absent ones. The family of a default route follows from its gateway. */
interface KataRoute {
	readonly dest: string;
	readonly gateway: string;
	readonly source: string;
	readonly scope: number;
	readonly flags: number;
	readonly mtu: number;
}

/** What tells Kata of a sandbox's NIC. No neighbours: OVN answers for the gateways. */
export function directAttachment(ifname: string, port: Port, device: KataDevice): DirectAttachment {
	const defaultRoute = (gateway: string): KataRoute => ({ dest: '', gateway, source: '', scope: 0, flags: 0, mtu: 0 });
	return {
		netns: null,
		devices: [
			{
				name: ifname,
				// The Go runtime insists on it, runtime-rs would make one up.
				guest_mac: port.mac,
				device: deviceOf(device),
				network_info: {
					interface: {
						ip_addresses: port.addresses.map(({ address }) => address),
						mtu: port.mtu,
						ntype: device.type === 'host-tap' ? 'tuntap' : '',
						flags: 0,
					},
					routes: port.addresses.flatMap(({ gateway }) => (gateway === undefined ? [] : [defaultRoute(gateway)])),
					neighbors: [],
				},
			},
		],
	};
}

function deviceOf(device: KataDevice): Readonly<Record<string, string | number>> {
	// The queues are said: 0 would be the number in Kata's configuration, of which the tap knows nothing. 0 as queue_size is Kata's default.
	if (device.type === 'host-tap') return { type: device.type, tap_name: device.tap, queue_num: device.queues, queue_size: 0 };
	if (device.type === 'vhost-user') return { type: device.type, path: device.socket };
	return { type: device.type, pci_device_id: device.pciAddress };
}
