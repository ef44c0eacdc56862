import { conditions, labelSelector, strings } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, integer, object, string, type TypeOf } from './schema.ts';

export const vlanResource = kubeOvnResource('vlans', 'Vlan');

export const vlanSpec = object(
	'A VLAN of a provider network.',
	{
		id: integer('VLAN identifier; 0 is untagged. Cannot change.', { minimum: 0, maximum: 4095 }),
		provider: string('ProviderNetwork. Cannot change.'),
		vlanId: integer('Older name of `id`.'),
		providerInterfaceName: string('Older name of `provider`.'),
	},
	['provider'],
);
export type VlanSpec = TypeOf<typeof vlanSpec>;

export const vlanStatus = object('What the controller found.', {
	conditions,
	subnets: strings('Subnets on the VLAN.'),
	conflict: boolean('Whether another Vlan has the same identifier on the same provider network.'),
});
export type VlanStatus = TypeOf<typeof vlanStatus>;
export type Vlan = ApiObject<VlanSpec, VlanStatus>;

export const vlanKind: KindDefinition<VlanSpec, VlanStatus> = {
	resource: vlanResource,
	singular: 'vlan',
	shortNames: ['vlan'],
	description: 'A VLAN that underlay subnets use.',
	spec: vlanSpec,
	status: vlanStatus,
	statusSubresource: true,
	columns: [column('ID', '.spec.id'), column('Provider', '.spec.provider'), column('conflict', '.status.conflict', 'boolean')],
};

export const providerNetworkResource = kubeOvnResource('provider-networks', 'ProviderNetwork');

// IFNAMSIZ of Linux, without its terminating zero; and names have neither slash nor blank.
const interfaceName = (description: string) => string(description, { maxLength: 15, pattern: '^[^/\\s]+$' });

export const providerNetworkSpec = object(
	'A physical network and the interfaces that lead to it.',
	{
		defaultInterface: interfaceName('Interface on nodes that `customInterfaces` does not name. Cannot change.'),
		customInterfaces: arrayOf(
			object('One interface.', { interface: interfaceName('Name of the interface.'), nodes: strings('Nodes on which it is used.') }),
			'Interfaces of other names on some nodes.',
		),
		nodeSelector: labelSelector('Nodes that have the network.'),
		excludeNodes: strings('Nodes that do not have the network.'),
		exchangeLinkName: boolean('Whether the bridge takes the name of the interface.'),
		autoCreateVlanSubinterfaces: boolean('Whether VLAN interfaces that are named but absent are made.'),
		preserveVlanInterfaces: boolean('Whether VLAN interfaces on top of the interface keep working.'),
		vlanInterfaces: arrayOf(string('`parent.vlan`.', { pattern: '^[a-zA-Z0-9_-]+\\.[0-9]{1,4}$' }), 'VLAN interfaces to keep.'),
	},
	['defaultInterface'],
);
export type ProviderNetworkSpec = TypeOf<typeof providerNetworkSpec>;

export const providerNetworkStatus = object('What the controller and the agents found.', {
	ready: boolean('Whether all nodes are ready.'),
	readyNodes: strings('Nodes that have the network.'),
	notReadyNodes: strings('Nodes that should have it and do not yet.'),
	vlans: strings('VLANs on the network.'),
	// Kube-OVN's is a list with one entry for each node and type, so it cannot be a map by type as everywhere else.
	conditions: arrayOf(
		object('One observation.', {
			node: string('Node it is about; empty for the whole network.'),
			type: string('What the condition is about.'),
			status: string('`True`, `False` or `Unknown`.'),
			reason: string('One CamelCase word for programs.'),
			message: string('What happened, why, and how to fix it.'),
			lastUpdateTime: string('When the condition was last written.'),
			lastTransitionTime: string('When the status last changed.'),
		}),
		'What the agents found, for each node.',
	),
});
export type ProviderNetworkStatus = TypeOf<typeof providerNetworkStatus>;
export type ProviderNetwork = ApiObject<ProviderNetworkSpec, ProviderNetworkStatus>;

export const providerNetworkKind: KindDefinition<ProviderNetworkSpec, ProviderNetworkStatus> = {
	resource: providerNetworkResource,
	singular: 'provider-network',
	shortNames: ['pn'],
	description: 'A physical network that nodes are connected to.',
	spec: providerNetworkSpec,
	status: providerNetworkStatus,
	statusSubresource: true,
	// The bridge is called `br-<name>`, and an interface name has at most 15 characters.
	name: { type: 'string', maxLength: 12 },
	columns: [column('DefaultInterface', '.spec.defaultInterface'), column('Ready', '.status.ready', 'boolean')],
};
