import { strings } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { object, string, type TypeOf } from './schema.ts';

export const ipResource = kubeOvnResource('ips', 'IP');

export const ipSpec = object('A lease: addresses and their holder.', {
	podName: string('Name of the pod, VM or node.'),
	namespace: string('Its namespace; empty for nodes.'),
	subnet: string('Subnet of the addresses. Cannot change.'),
	nodeName: string('Node that it runs on.'),
	ipAddress: string('`v4`, `v6` or `v4,v6`.'),
	v4IpAddress: string('IPv4 address.'),
	v6IpAddress: string('IPv6 address.'),
	macAddress: string('MAC address.'),
	containerID: string('Sandbox that the port is in.'),
	podType: string('`VirtualMachine` when a VM holds the lease, otherwise empty.'),
	attachSubnets: strings('Further subnets (read only for objects made by older releases of Kube-OVN).'),
	attachIps: strings('Addresses in them.'),
	attachMacs: strings('MAC addresses in them.'),
});
export type IpSpec = TypeOf<typeof ipSpec>;

/** The kind IP; named so because `Ip` is an address. */
export type IpLease = ApiObject<IpSpec>;

export const ipKind: KindDefinition<IpSpec> = {
	resource: ipResource,
	singular: 'ip',
	shortNames: ['ip'],
	description: 'A lease, written before its addresses are used. Its name is that of the logical switch port.',
	spec: ipSpec,
	statusSubresource: false,
	columns: [
		column('V4IP', '.spec.v4IpAddress'),
		column('V6IP', '.spec.v6IpAddress'),
		column('Mac', '.spec.macAddress'),
		column('Node', '.spec.nodeName'),
		column('Subnet', '.spec.subnet'),
	],
};
