import type { KindDefinition } from './crd.ts';
import type { ApiObject, Resource } from './object.ts';
import { object, string, type TypeOf } from './schema.ts';

/** Of the Network Plumbing Working Group's multi-network specification, version 1.3. */
export const networkAttachmentDefinitionResource: Resource = {
	group: 'k8s.cni.cncf.io',
	version: 'v1',
	plural: 'network-attachment-definitions',
	kind: 'NetworkAttachmentDefinition',
	namespaced: true,
};

export const networkAttachmentDefinitionSpec = object('A secondary network.', {
	config: string('CNI configuration, as JSON.'),
});
export type NetworkAttachmentDefinition = ApiObject<TypeOf<typeof networkAttachmentDefinitionSpec>>;

export const networkAttachmentDefinitionKind: KindDefinition = {
	resource: networkAttachmentDefinitionResource,
	singular: 'network-attachment-definition',
	shortNames: ['net-attach-def'],
	description: 'A network that pods may have beside their first one.',
	spec: networkAttachmentDefinitionSpec,
	statusSubresource: false,
	columns: [],
};
