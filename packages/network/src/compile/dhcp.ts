import type { DesiredRow } from '../plan/model.ts';
import type { SubnetFacts } from '../world/objects.ts';
import { dhcpRow, routerMac, shownMac } from './names.ts';

const leaseSeconds = 3600;

/** What OVN answers to DHCPv4 and DHCPv6 requests of the subnet's VMs (ovn-nb(5), DHCP_Options). Ports refer to it one by one (port.ts). */
export function dhcpRows(subnet: SubnetFacts): DesiredRow[] {
	const mac = shownMac(routerMac(subnet.vpc, subnet.name));
	return subnet.blocks.map(({ family, cidr, gateway }) => {
		const options =
			family === 4
				? {
						server_id: gateway,
						server_mac: mac,
						router: gateway,
						lease_time: String(leaseSeconds),
						mtu: String(subnet.mtu),
						...subnet.dhcpV4Options,
					}
				: { server_id: mac, ...subnet.dhcpV6Options };
		return { ...dhcpRow(subnet.name, family), columns: { cidr, options }, listedIn: [] };
	});
}

/** DHCPv6 has no default route and no MTU: guests learn both, and that they shall ask DHCPv6, from the router. Empty without IPv6. */
export function routerAdvertisement(subnet: SubnetFacts): Readonly<Record<string, string>> {
	if (!subnet.blocks.some((block) => block.family === 6)) return {};
	return {
		address_mode: 'dhcpv6_stateful',
		send_periodic: 'true',
		min_interval: '5',
		max_interval: '30',
		mtu: String(subnet.mtu),
		...subnet.raOptions,
	};
}
