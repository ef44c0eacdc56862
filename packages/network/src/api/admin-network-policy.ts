import { conditions, labelSelector, strings } from './common.ts';
import { ageColumn, column, type KindDefinition } from './crd.ts';
import type { ApiObject, Resource } from './object.ts';
import { arrayOf, integer, object, oneOf, string, type TypeOf } from './schema.ts';

// policy.networking.k8s.io/v1alpha1, as the network-policy-api project publishes it.

const policyResource = (plural: string, kind: string): Resource => ({
	group: 'policy.networking.k8s.io',
	version: 'v1alpha1',
	plural,
	kind,
	namespaced: false,
});
export const adminNetworkPolicyResource = policyResource('adminnetworkpolicies', 'AdminNetworkPolicy');
export const baselineAdminNetworkPolicyResource = policyResource('baselineadminnetworkpolicies', 'BaselineAdminNetworkPolicy');

const pods = object(
	'Pods in namespaces.',
	{ namespaceSelector: labelSelector('Namespaces by label.'), podSelector: labelSelector('Pods in them by label.') },
	['namespaceSelector', 'podSelector'],
);

const subject = object('Whom the policy is about. One of the two is set.', {
	namespaces: labelSelector('All pods of namespaces, by label.'),
	pods,
});

const portNumber = (description: string) => integer(description, { format: 'int32', minimum: 1, maximum: 65535 });
const protocol = oneOf(['TCP', 'UDP', 'SCTP'], 'Protocol.', { default: 'TCP' });

const port = object('Traffic. One of the three is set.', {
	portNumber: object('One port.', { protocol, port: portNumber('Number.') }, ['port']),
	portRange: object('Ports from one number to another.', { protocol, start: portNumber('First.'), end: portNumber('Last.') }, [
		'start',
		'end',
	]),
	namedPort: string('The port that the receiving container calls so, of any protocol.'),
});
export type AdminPolicyPort = TypeOf<typeof port>;

const ingressPeer = object('Senders. One of the two is set.', { namespaces: labelSelector('All pods of namespaces, by label.'), pods });
const egressPeer = object('Receivers. One field is set.', {
	namespaces: labelSelector('All pods of namespaces, by label.'),
	pods,
	nodes: labelSelector('Nodes, by label.'),
	networks: strings('Blocks of addresses.'),
	domainNames: strings('Names in DNS.'),
});
export type AdminPolicyPeer = TypeOf<typeof egressPeer>;

const name = string('For people.', { maxLength: 100 });
const ports = arrayOf(port, 'Traffic that matches; all when not set.');

const ingress = <const A extends readonly string[]>(actions: A) =>
	arrayOf(
		object('One rule.', { name, action: oneOf(actions, 'What happens.'), from: arrayOf(ingressPeer, 'Senders.', { minItems: 1 }), ports }, [
			'action',
			'from',
		]),
		'Rules for what the subject receives, the first that matches counts.',
	);
const egress = <const A extends readonly string[]>(actions: A) =>
	arrayOf(
		object('One rule.', { name, action: oneOf(actions, 'What happens.'), to: arrayOf(egressPeer, 'Receivers.', { minItems: 1 }), ports }, [
			'action',
			'to',
		]),
		'Rules for what the subject sends, the first that matches counts.',
	);

export const adminNetworkPolicySpec = object(
	'Rules of the cluster that come before NetworkPolicies.',
	{
		priority: integer('Lower goes first.', { format: 'int32', minimum: 0, maximum: 1000 }),
		subject,
		ingress: ingress(['Allow', 'Deny', 'Pass']),
		egress: egress(['Allow', 'Deny', 'Pass']),
	},
	['priority', 'subject'],
);
export type AdminNetworkPolicySpec = TypeOf<typeof adminNetworkPolicySpec>;

export const baselineAdminNetworkPolicySpec = object(
	'Rules of the cluster for what no NetworkPolicy is about.',
	{ subject, ingress: ingress(['Allow', 'Deny']), egress: egress(['Allow', 'Deny']) },
	['subject'],
);
export type BaselineAdminNetworkPolicySpec = TypeOf<typeof baselineAdminNetworkPolicySpec>;

const status = object('What the controller found and made.', { conditions });
export type AdminPolicyStatus = TypeOf<typeof status>;
export type AdminNetworkPolicy = ApiObject<AdminNetworkPolicySpec, AdminPolicyStatus>;
export type BaselineAdminNetworkPolicy = ApiObject<BaselineAdminNetworkPolicySpec, AdminPolicyStatus>;

export const adminNetworkPolicyKind: KindDefinition<AdminNetworkPolicySpec, AdminPolicyStatus> = {
	resource: adminNetworkPolicyResource,
	singular: 'adminnetworkpolicy',
	shortNames: ['anp'],
	description: 'A policy of the cluster that overrides NetworkPolicies.',
	spec: adminNetworkPolicySpec,
	status,
	statusSubresource: true,
	columns: [column('Priority', '.spec.priority', 'integer'), ageColumn],
};

export const baselineAdminNetworkPolicyKind: KindDefinition<BaselineAdminNetworkPolicySpec, AdminPolicyStatus> = {
	resource: baselineAdminNetworkPolicyResource,
	singular: 'baselineadminnetworkpolicy',
	shortNames: ['banp'],
	description: 'A policy of the cluster that NetworkPolicies override.',
	spec: baselineAdminNetworkPolicySpec,
	status,
	statusSubresource: true,
	columns: [ageColumn],
	// The only one that counts, as in the project that defines the kind.
	name: { type: 'string', pattern: '^default$' },
};
