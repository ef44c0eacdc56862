import { vmmUser } from '@tapestry/host';
import { createTap, findLink, type Link, type Namespace, type NetlinkSocket, setLink } from '@tapestry/linux';
import type { Attachment } from './attachment.ts';
import { silence } from './wiring.ts';

/** The name under which a VMM opens its tap in the launcher's namespace; KubeVirt's name for the pod network. */
export const tapName = 'tap0';

/**
 * Makes the tap that waits for the VMM in the launcher's namespace, of which `route` is a socket. The launcher's stack says nothing there: once a VMM has
 * opened it, the guest would hear a router solicitation and more.
 */
export function makeTap(namespace: Namespace, route: NetlinkSocket, { port, queues }: Attachment): Link | undefined {
	createTap(namespace, { name: tapName, uid: vmmUser, gid: vmmUser, multiQueue: queues > 1 });
	silence(namespace, tapName);
	// A tap that is down shows no carrier: the VMM's opening it would go unseen.
	setLink(route, tapName, { mtu: port.mtu, up: true });
	return findLink(route, tapName);
}
