import { conditions } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, number, object, string, type TypeOf } from './schema.ts';

export const ipPoolResource = kubeOvnResource('ippools', 'IPPool');

export const ipPoolSpec = object(
	'Part of a subnet, set aside.',
	{
		subnet: string('Subnet that the addresses belong to. Cannot change.'),
		namespaces: arrayOf(string('One namespace.'), 'Namespaces whose pods get their addresses from the pool.', {
			'x-kubernetes-list-type': 'set',
		}),
		ips: arrayOf(string('An address, a range `a..b` or a block.'), 'What the pool holds.', {
			minItems: 1,
			'x-kubernetes-list-type': 'set',
		}),
		enableAddressSet: boolean('Whether OVN gets an address set of the pool, for use in policies.', { default: false }),
	},
	['subnet', 'ips'],
);
export type IpPoolSpec = TypeOf<typeof ipPoolSpec>;

export const ipPoolStatus = object('What the controller found.', {
	conditions,
	v4AvailableIPs: number('IPv4 addresses that are free.'),
	v4AvailableIPRange: string('The free ones, as ranges `a-b` with `,` between them.'),
	v4UsingIPs: number('IPv4 addresses that are in use.'),
	v4UsingIPRange: string('The ones in use.'),
	v6AvailableIPs: number('IPv6 addresses that are free.'),
	v6AvailableIPRange: string('The free ones.'),
	v6UsingIPs: number('IPv6 addresses that are in use.'),
	v6UsingIPRange: string('The ones in use.'),
});
export type IpPoolStatus = TypeOf<typeof ipPoolStatus>;

export type IpPool = ApiObject<IpPoolSpec, IpPoolStatus>;

export const ipPoolKind: KindDefinition<IpPoolSpec, IpPoolStatus> = {
	resource: ipPoolResource,
	singular: 'ippool',
	shortNames: ['ippool'],
	description: 'Addresses of a subnet that only some pods get.',
	spec: ipPoolSpec,
	status: ipPoolStatus,
	statusSubresource: true,
	columns: [
		column('Subnet', '.spec.subnet'),
		column('enableAddressSet', '.spec.enableAddressSet', 'boolean'),
		column('IPs', '.spec.ips'),
		column('V4Used', '.status.v4UsingIPs', 'number'),
		column('V4Available', '.status.v4AvailableIPs', 'number'),
		column('V6Used', '.status.v6UsingIPs', 'number'),
		column('V6Available', '.status.v6AvailableIPs', 'number'),
	],
};
