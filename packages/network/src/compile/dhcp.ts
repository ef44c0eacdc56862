import { type Family, parseIp } from '@tapestry/base';
import { clusterDnsService, defaultNames } from '../api/names.ts';
import type { DesiredRow } from '../plan/model.ts';
import type { SubnetFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { dhcpRow, routerMac, shownMac } from './names.ts';

/** RFC 2131 section 4.4.5: clients renew after half of it. */
const leaseSeconds = 3600;

export type DnsServers = Readonly<Record<Family, string | undefined>>;

/** The cluster's DNS for subnets whose guests want it and reach it; no server where there is none. */
export function clusterDns(subnet: SubnetFacts, read: Read): DnsServers {
	const isReachable = subnet.tellsClusterDns && subnet.servesServices && subnet.vpc === defaultNames.vpc;
	const ips = isReachable ? (read.get('Service', clusterDnsService)?.clusterIps ?? []) : [];
	const ofFamily = (family: Family) => ips.find((ip) => parseIp(ip)?.family === family);
	return { 4: ofFamily(4), 6: ofFamily(6) };
}

/** What OVN answers to DHCPv4 and DHCPv6 requests in the subnet (ovn-nb(5), DHCP_Options). Ports refer to it one by one (port.ts). */
export function dhcpRows(subnet: SubnetFacts, dns: DnsServers): DesiredRow[] {
	if (subnet.isJoin || subnet.dhcpFor === 'nobody') return [];
	const mac = shownMac(routerMac(subnet.vpc, subnet.name));
	return subnet.blocks.map(({ family, cidr, gateway }) => {
		const server = dns[family];
		const servers = server === undefined ? {} : { dns_server: server };
		const v4 = { server_id: gateway, server_mac: mac, router: gateway, lease_time: String(leaseSeconds), mtu: String(subnet.mtu) };
		const options = family === 4 ? { ...v4, ...servers, ...subnet.dhcpV4Options } : { server_id: mac, ...servers, ...subnet.dhcpV6Options };
		return { ...dhcpRow(subnet.name, family), columns: { cidr, options }, listedIn: [] };
	});
}

/** DHCPv6 has no default route and no MTU: guests learn both, and that they shall ask DHCPv6, from the router. Empty without IPv6. */
export function routerAdvertisement(subnet: SubnetFacts, dns: DnsServers): Readonly<Record<string, string>> {
	const isSent = subnet.advertises && !subnet.isJoin && subnet.blocks.some((block) => block.family === 6);
	if (!isSent) return {};
	return {
		address_mode: 'dhcpv6_stateful',
		send_periodic: 'true',
		min_interval: '5',
		max_interval: '30',
		mtu: String(subnet.mtu),
		...(dns[6] === undefined ? {} : { rdnss: dns[6] }),
		...subnet.raOptions,
	};
}
