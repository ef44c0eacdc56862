import type { NbTable } from '../schema/nb.generated.ts';

/**
 * The tables that compiled rows are in, with the columns that the planner reads. Others (for example Logical_Switch_Port.up, which
 * ovn-northd writes) would only wake it.
 */
export const monitoredColumns = {
	Logical_Switch: ['name', 'ports', 'acls', 'qos_rules', 'load_balancer_group', 'external_ids'],
	Logical_Switch_Port: ['name', 'type', 'addresses', 'port_security', 'options', 'dhcpv4_options', 'dhcpv6_options', 'external_ids'],
	Logical_Router: ['name', 'ports', 'static_routes', 'policies', 'external_ids'],
	Logical_Router_Port: ['name', 'mac', 'networks', 'peer', 'options', 'ipv6_ra_configs', 'external_ids'],
	Logical_Router_Static_Route: ['ip_prefix', 'nexthop', 'policy', 'route_table', 'options', 'external_ids'],
	Logical_Router_Policy: ['priority', 'match', 'action', 'nexthops', 'external_ids'],
	DHCP_Options: ['cidr', 'options', 'external_ids'],
	Load_Balancer: ['name', 'protocol', 'vips', 'options', 'selection_fields', 'health_check', 'ip_port_mappings', 'external_ids'],
	Load_Balancer_Health_Check: ['vip', 'options', 'external_ids'],
	Load_Balancer_Group: ['name', 'load_balancer'],
	ACL: ['priority', 'direction', 'match', 'action', 'options', 'external_ids'],
	QoS: ['priority', 'direction', 'match', 'action', 'bandwidth', 'external_ids'],
	Port_Group: ['name', 'ports', 'acls', 'external_ids'],
	Address_Set: ['name', 'addresses', 'external_ids'],
} as const satisfies Partial<Record<NbTable, readonly string[]>>;
