import type { Port } from '../port.ts';
import type { MiniNode } from './mini-node.ts';

export const gateways = { v4: '10.16.0.1', v6: 'fd00:10:16::1' } as const;

/** A dual-stack switch at a router, as the controller would make them. */
export function makeNetwork(node: MiniNode): void {
	node.nbctl(
		...['--', 'lr-add', 'ovn-cluster'],
		...['--', 'lrp-add', 'ovn-cluster', 'ovn-cluster-ovn-default', '0a:00:00:00:00:01', `${gateways.v4}/16`, `${gateways.v6}/112`],
		...['--', 'set', 'Logical_Router_Port', 'ovn-cluster-ovn-default', 'ipv6_ra_configs:address_mode=slaac'],
		...['--', 'ls-add', 'ovn-default'],
		...['--', 'lsp-add', 'ovn-default', 'ovn-default-ovn-cluster'],
		...['--', 'lsp-set-type', 'ovn-default-ovn-cluster', 'router'],
		...['--', 'lsp-set-addresses', 'ovn-default-ovn-cluster', 'router'],
		...['--', 'lsp-set-options', 'ovn-default-ovn-cluster', 'router-port=ovn-cluster-ovn-default'],
	);
}

/** The port that a lease would describe: address number `host` of the switch. */
export function portOf(name: string, host: number): Port {
	return {
		name,
		ownerUid: `uid-of-${name}`,
		mac: `00:00:00:00:10:${host.toString(16).padStart(2, '0')}`,
		addresses: [
			{ address: `10.16.0.${host}/16`, gateway: gateways.v4 },
			{ address: `fd00:10:16::${host.toString(16)}/112`, gateway: gateways.v6 },
		],
		mtu: 1442,
		subnet: 'ovn-default',
	};
}

/** The logical switch port of a port, with port security, bound to the node and to its owner. */
export function makeLogicalPort(node: MiniNode, port: Port): void {
	const addresses = [port.mac, ...port.addresses.map(({ address }) => address.split('/')[0])].join(' ');
	node.nbctl(
		...['--', 'lsp-add', 'ovn-default', port.name],
		...['--', 'lsp-set-addresses', port.name, addresses],
		...['--', 'lsp-set-port-security', port.name, addresses],
		...['--', 'lsp-set-options', port.name, `requested-chassis=${node.name}`, `iface-id-ver=${port.ownerUid}`],
	);
}

/** Has OVN give a port's machine its addresses, as the controller does: DHCPv4, DHCPv6 and the router's advertisement. */
export function giveAddresses(node: MiniNode, port: Port): void {
	const mac = '0a:00:00:00:00:01';
	const v4 = `lease_time=3600,router=${gateways.v4},server_id=${gateways.v4},server_mac="${mac}",mtu=${port.mtu}`;
	node.nbctl(
		...['--', '--id=@v4', 'create', 'DHCP_Options', 'cidr=10.16.0.0/16', `options={${v4}}`],
		...['--', '--id=@v6', 'create', 'DHCP_Options', 'cidr="fd00:10:16::/112"', `options:server_id="${mac}"`],
		...['--', 'set', 'Logical_Switch_Port', port.name, 'dhcpv4_options=@v4', 'dhcpv6_options=@v6'],
		...['--', 'set', 'Logical_Router_Port', 'ovn-cluster-ovn-default', 'ipv6_ra_configs:address_mode=dhcpv6_stateful'],
		...['--', 'set', 'Logical_Router_Port', 'ovn-cluster-ovn-default', `ipv6_ra_configs:mtu=${port.mtu}`],
	);
}

export const join = { v4: '100.64.0.1', v6: 'fd00:100:64::1', nodeV4: '100.64.0.2', nodeV6: 'fd00:100:64::2' } as const;

/** The join network, with the node's port in it and the way out through the node, as the controller would make them. */
export function makeJoinNetwork(node: MiniNode, nodePort: string, mac: string): void {
	const egress = (family: 4 | 6, source: string, hop: string): string[] => [
		// What stays inside, the router's own answers included.
		...['--', 'lr-policy-add', 'ovn-cluster', '200', `ip${family}.dst == ${source}`, 'allow'],
		...['--', 'lr-policy-add', 'ovn-cluster', '100', `is_chassis_resident("${nodePort}") && ip${family}.src == ${source}`, 'reroute', hop],
		...['--', 'lr-route-add', 'ovn-cluster', family === 4 ? '0.0.0.0/0' : '::/0', hop],
	];
	node.nbctl(
		...['--', 'lrp-add', 'ovn-cluster', 'ovn-cluster-join', '0a:00:00:00:00:02', `${join.v4}/16`, `${join.v6}/112`],
		...['--', 'ls-add', 'join'],
		...['--', 'lsp-add', 'join', 'join-ovn-cluster'],
		...['--', 'lsp-set-type', 'join-ovn-cluster', 'router'],
		...['--', 'lsp-set-addresses', 'join-ovn-cluster', 'router'],
		...['--', 'lsp-set-options', 'join-ovn-cluster', 'router-port=ovn-cluster-join'],
		...['--', 'lsp-add', 'join', nodePort],
		...['--', 'lsp-set-addresses', nodePort, `${mac} ${join.nodeV4} ${join.nodeV6}`],
		...['--', 'lsp-set-options', nodePort, `requested-chassis=${node.name}`, `iface-id-ver=uid-of-${nodePort}`],
		...egress(4, '10.16.0.0/16', join.nodeV4),
		...egress(6, 'fd00:10:16::/112', join.nodeV6),
	);
}
