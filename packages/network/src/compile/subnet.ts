import { cidrContains, parseCidr, parseIp } from '@tapestry/base';
import type { DesiredRow, Fragment } from '../plan/model.ts';
import type { SubnetFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { clusterDns, type DnsServers, dhcpRows, routerAdvertisement } from './dhcp.ts';
import { gatewayPolicies } from './gateway.ts';
import { routerMac, routerPortName, routerRow, routerSidePortName, shownMac, switchRow } from './names.ts';
import { subnetPolicyRows } from './policy/subnet-rules.ts';
import { policyPriority } from './priorities.ts';

/** The switch, its link to the VPC's router, and what its ports are told about addresses. */
export function compileSubnet(key: string, read: Read): Fragment {
	const subnet = read.get('Subnet', key);
	if (!subnet) return { rows: [] };
	const vpc = read.get('Vpc', subnet.vpc);
	const logicalSwitch: DesiredRow = { ...switchRow(subnet.name), columns: { name: subnet.name }, listedIn: [] };
	const routed = vpc?.isDefault ? [...localTraffic(subnet), ...gatewayPolicies(subnet, read)] : [];
	const dns = clusterDns(subnet, read);
	return {
		rows: [
			logicalSwitch,
			...routerLink(subnet, dns, proxied(subnet, read)),
			...dhcpRows(subnet, dns),
			...routed,
			...subnetPolicyRows(subnet, read),
		],
	};
}

/** Addresses of balancers that clients look for on the switch itself: the router answers for them (ovn-nb(5): in IPv4 only). */
function proxied(subnet: SubnetFacts, read: Read): string {
	const rules = read.list('SwitchLBRule', 'subnet', subnet.name);
	const v4 = subnet.blocks.flatMap(({ family, cidr }) => (family === 4 ? (parseCidr(cidr) ?? []) : []));
	const within = (text: string): boolean => {
		const ip = parseIp(text);
		return ip !== undefined && v4.some((cidr) => cidrContains(cidr, ip));
	};
	const kept = read.list('Vip', 'subnet', subnet.name).flatMap(({ type, v4: ip }) => (type === 'switch_lb_vip' && ip ? [ip] : []));
	return [...new Set([...rules.flatMap(({ vips }) => vips.filter(within)), ...kept])].sort().join(' ');
}

function routerLink(subnet: SubnetFacts, dns: DnsServers, proxy: string): DesiredRow[] {
	const { name, vpc } = subnet;
	const routerPort = routerPortName(vpc, name);
	return [
		{
			table: 'Logical_Router_Port',
			key: `subnet/${name}/${vpc}`,
			columns: {
				name: routerPort,
				mac: shownMac(routerMac(vpc, name)),
				networks: subnet.blocks.map(({ gateway, prefix }) => `${gateway}/${prefix}`),
				ipv6_ra_configs: routerAdvertisement(subnet, dns),
				// What enters the router here looks up its routes in this table (ovn-nb(5), Logical_Router_Port options:route_table).
				options: subnet.routeTable === '' ? {} : { route_table: subnet.routeTable },
			},
			listedIn: [{ ...routerRow(vpc), column: 'ports' }],
		},
		{
			table: 'Logical_Switch_Port',
			key: `subnet/${name}/${vpc}`,
			columns: {
				name: routerSidePortName(vpc, name),
				type: 'router',
				addresses: ['router'],
				options: { 'router-port': routerPort, ...(proxy ? { arp_proxy: proxy } : {}) },
			},
			listedIn: [{ ...switchRow(name), column: 'ports' }],
		},
	];
}

/** Exempts traffic between subnets from the egress policies below. */
function localTraffic(subnet: SubnetFacts): DesiredRow[] {
	return subnet.blocks.map(({ family, cidr }) => ({
		table: 'Logical_Router_Policy',
		key: `subnet/${subnet.name}/${family}`,
		columns: { priority: policyPriority.subnet, match: `ip${family}.dst == ${cidr}`, action: 'allow', nexthops: [] },
		listedIn: [{ ...routerRow(subnet.vpc), column: 'policies' }],
	}));
}
