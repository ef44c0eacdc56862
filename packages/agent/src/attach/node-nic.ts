import { findLink } from '@tapestry/linux';
import type { Attachment } from './attachment.ts';
import type { SwitchSide } from './host-side.ts';
import type { NodeNeeds } from './node-needs.ts';

export interface NodeNicDeps extends SwitchSide {
	readonly needs: NodeNeeds;
}

const nobody = '00:00:00:00:00:00';

/** Why no macvtap can be made on a device of the node for a port, each a sentence. */
export function nicFaults({ host, bridge, needs }: NodeNicDeps, nic: string, port?: Attachment['port']): readonly string[] {
	const link = findLink(host.route, nic);
	if (!link) return [`there is no device ${nic}`];
	if (link.mac === undefined || link.mac === nobody) return [`${nic} is a loopback or tunnel, on which nobody else can have an address`];
	if (needs.exists(`/sys/class/net/${nic}/phy80211`)) return [`${nic} is wireless: an access point takes frames of its own address only`];
	if (nic === bridge.name || bridge.port(nic)) return [`${nic} belongs to Open vSwitch, which takes all of its frames`];
	const master = link.master === undefined ? undefined : findLink(host.route, link.master);
	if (link.master !== undefined) return [`${nic} belongs to ${master?.name ?? 'another device'}, which takes all of its frames`];
	const faults = link.up ? [] : [`${nic} is down`];
	if (port && link.mtu < port.mtu) faults.push(`${nic} has MTU ${link.mtu}, and subnet ${port.subnet} has ${port.mtu}`);
	return faults;
}
