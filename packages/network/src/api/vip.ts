import { conditions, strings } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { object, string, type TypeOf } from './schema.ts';

export const vipResource = kubeOvnResource('vips', 'Vip');

export const vipSpec = object('An address that is not bound to one pod.', {
	namespace: string('Namespace of the pods that may use it. Cannot change.'),
	subnet: string('Subnet of the address. Cannot change.'),
	type: string('Empty: reserved, or shared by pods; `switch_lb_vip`: for a SwitchLBRule; `kube_host_vm_vip`: for a VM outside Kubernetes.'),
	v4ip: string('IPv4 address; one is chosen when empty.'),
	v6ip: string('IPv6 address; one is chosen when empty.'),
	macAddress: string('MAC address; one is chosen when empty.'),
	selector: strings('Labels `key: value` of the pods that may use it.'),
	attachSubnets: strings('Further subnets.'),
});
export type VipSpec = TypeOf<typeof vipSpec>;

export const vipStatus = object('What the controller found and made.', {
	conditions,
	type: string('Type as made.'),
	v4ip: string('IPv4 address.'),
	v6ip: string('IPv6 address.'),
	mac: string('MAC address.'),
	selector: strings('Labels of the pods that may use it.'),
});
export type VipStatus = TypeOf<typeof vipStatus>;

export type Vip = ApiObject<VipSpec, VipStatus>;

export const vipKind: KindDefinition<VipSpec, VipStatus> = {
	resource: vipResource,
	singular: 'vip',
	shortNames: ['vip'],
	description: 'An address that is kept, or that several pods may answer to.',
	spec: vipSpec,
	status: vipStatus,
	statusSubresource: false,
	columns: [
		column('Namespace', '.spec.namespace'),
		column('V4IP', '.status.v4ip'),
		column('V6IP', '.status.v6ip'),
		column('Mac', '.status.mac'),
		column('Subnet', '.spec.subnet'),
		column('Type', '.status.type'),
	],
};
