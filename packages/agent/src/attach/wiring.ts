import {
	disableTransmitChecksumOffload,
	findLink,
	type Namespace,
	type NetlinkSocket,
	openRoute,
	setLink,
	setNetworkSettings,
} from '@tapestry/linux';
import type { Attachment, DisconnectTarget, ModeName, SandboxInterface } from './attachment.ts';
import { addDefaultRoutes, addPortAddresses, findSandbox } from './sandbox-side.ts';

/** The sandbox's namespace and a route socket in it. */
export interface SandboxSide {
	readonly namespace: Namespace;
	readonly route: NetlinkSocket;
}

/**
 * What of an attachment mode lies in the sandbox, behind the inner end of a veth whose outer end is the port of the switch. The modes of this kind
 * differ in nothing else.
 */
export interface Wiring {
	readonly name: ModeName;
	/** See AttachmentMode. */
	readonly servesSandbox: boolean;
	readonly probe: () => Promise<readonly string[]>;
	/** What the veth's inner end is called, and its hardware address; the kernel chooses one when there is none. */
	readonly innerEnd: (attachment: Attachment) => { readonly name: string; readonly mac?: string };
	/** Makes the devices and rules behind the inner end, which is down until `activate`. Answers with the interfaces to show. */
	readonly lay: (side: SandboxSide, attachment: Attachment) => Promise<readonly SandboxInterface[]>;
	/** The port's flows are installed: packets may leave from now on. */
	readonly activate: (side: SandboxSide, attachment: Attachment) => void;
	/** Removes what `lay` made, in any state; the inner end goes with the outer one. Nothing else of the sandbox may be touched. */
	readonly strip: (side: SandboxSide, target: DisconnectTarget) => Promise<void>;
	/** What in the sandbox is not as ADD left it. */
	readonly faults: (attachment: Attachment) => readonly string[];
	/** The devices from the workload to the veth's inner end. */
	readonly hops: (attachment: Attachment) => readonly string[];
}

/** Gives the inner end, as an interface that programs of the sandbox use, the port's addresses. */
export function configureInterface({ namespace, route }: SandboxSide, { ifname, port }: Attachment): void {
	setNetworkSettings(namespace, {
		// A runtime may have made the namespace without IPv6; the lease decides.
		[`ipv6/conf/${ifname}/disable_ipv6`]: 0,
		// Addresses and routes come from the lease alone, and at once: detection of duplicates would keep even the link-local address back.
		[`ipv6/conf/${ifname}/accept_ra`]: 0,
		[`ipv6/conf/${ifname}/accept_dad`]: 0,
	});
	disableTransmitChecksumOffload(namespace, ifname);
	addPortAddresses(route, ifname, port);
}

/** Brings that interface up, with its routes. */
export function activateInterface({ route }: SandboxSide, { ifname, port }: Attachment): void {
	setLink(route, 'lo', { up: true });
	setLink(route, ifname, { up: true });
	addDefaultRoutes(route, ifname, port);
}

/** A device of the sandbox that only passes frames on has no addresses of its own, link-local ones included. Before it is set up. */
export function silence(namespace: Namespace, device: string): void {
	setNetworkSettings(namespace, { [`ipv6/conf/${device}/disable_ipv6`]: 1 });
}

export async function withSide<T>(namespace: Namespace, action: (side: SandboxSide) => T | Promise<T>): Promise<T> {
	using route = openRoute(namespace);
	return await action({ namespace, route });
}

/** KubeVirt's name for the pod's interface where the guest, and not the pod, has its addresses. */
export const nicName = (ifname: string): string => `${ifname}-nic`;

/** KubeVirt's name for the bridge between tap and interface. */
export const podBridge = (ifname: string): string => `k6t-${ifname}`;

/** What is missing of devices that a mode made in a sandbox. @param devices each with the bridge whose port it has to be */
export function deviceFaults(netns: string, devices: Readonly<Record<string, string | undefined>>): readonly string[] {
	using namespace = findSandbox(netns);
	if (!namespace) return [];
	using route = openRoute(namespace);
	return Object.entries(devices).flatMap(([device, bridge]) => {
		const link = findLink(route, device);
		if (!link) return [`${device} is gone`];
		const master = bridge === undefined ? undefined : findLink(route, bridge);
		if (bridge !== undefined && (!master || link.master !== master.index)) return [`${device} is no port of ${bridge}`];
		return link.up ? [] : [`${device} is down`];
	});
}
