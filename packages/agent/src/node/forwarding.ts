import { getNetworkSetting, listLinks, setNetworkSettings } from '@tapestry/linux';
import type { HostSide } from '../attach/host-side.ts';

const v6Forwarding = 'ipv6/conf/all/forwarding';

/**
 * Makes the node forward in both families. A node that forwards IPv6 stops to listen to router advertisements and loses a default route that came by one,
 * unless the interface's accept_ra is 2 (Linux, ip-sysctl): interfaces that listen are told to go on first.
 */
export function enableForwarding({ namespace, route }: HostSide): void {
	setNetworkSettings(namespace, { 'ipv4/ip_forward': 1 });
	if (getNetworkSetting(namespace, v6Forwarding) === '1') return;
	const listening = listLinks(route)
		.map(({ name }) => `ipv6/conf/${name}/accept_ra`)
		.filter((key) => getNetworkSetting(namespace, key) === '1');
	setNetworkSettings(namespace, Object.fromEntries([...listening.map((key) => [key, 2]), [v6Forwarding, 1]]));
}
