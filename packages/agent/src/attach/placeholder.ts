import { createBridge, deleteLink, findLink, setLink, setNetworkSettings } from '@tapestry/linux';
import { type ModeMark, modeMark } from '@tapestry/network';
import type { Attachment } from './attachment.ts';
import { addPortAddresses } from './sandbox-side.ts';
import type { SandboxSide } from './wiring.ts';

/**
 * What kubelet and KubeVirt look at in a sandbox's namespace when the machine's own interface is not there: a bridge without ports (kernels without
 * the dummy driver have it too) with the machine's addresses, down and silent.
 */
export function makePlaceholder({ namespace, route }: SandboxSide, mark: ModeMark | undefined, { ifname, port }: Attachment): void {
	setLink(route, 'lo', { up: true });
	// The placeholder owns the machine's address in this namespace: the kernel must not answer ARP for it through any other interface.
	setNetworkSettings(namespace, { 'ipv4/conf/all/arp_ignore': 1 });
	createBridge(route, { name: ifname, mac: port.mac, mtu: port.mtu });
	setNetworkSettings(namespace, { [`ipv6/conf/${ifname}/disable_ipv6`]: 0, [`ipv6/conf/${ifname}/accept_ra`]: 0 });
	setLink(route, ifname, { arp: false, ...(mark ? { alias: modeMark(mark) } : {}) });
	addPortAddresses(route, ifname, port);
}

/** Only what is ours: without a record the interface may be somebody else's. */
export async function removePlaceholder({ namespace, route }: SandboxSide, ifname: string): Promise<void> {
	if (findLink(route, ifname)?.kind === 'bridge') await deleteLink(ifname, namespace);
}
