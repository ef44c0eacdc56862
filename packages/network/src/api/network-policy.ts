import type { LabelSelector } from './common.ts';
import type { ApiObject, Resource } from './object.ts';

// The fields of Kubernetes' own kind that Tapestry reads (networking.k8s.io/v1).

export const networkPolicyResource: Resource = {
	group: 'networking.k8s.io',
	version: 'v1',
	plural: 'networkpolicies',
	kind: 'NetworkPolicy',
	namespaced: true,
};

export interface NetworkPolicyPort {
	/** @default TCP */
	readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
	readonly port?: number | string;
	readonly endPort?: number;
}

export interface NetworkPolicyPeer {
	readonly podSelector?: LabelSelector;
	readonly namespaceSelector?: LabelSelector;
	readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicySpec {
	/** Absent as empty: all pods of the namespace. */
	readonly podSelector?: LabelSelector;
	readonly policyTypes?: readonly ('Ingress' | 'Egress')[];
	readonly ingress?: readonly { readonly from?: readonly NetworkPolicyPeer[]; readonly ports?: readonly NetworkPolicyPort[] }[];
	readonly egress?: readonly { readonly to?: readonly NetworkPolicyPeer[]; readonly ports?: readonly NetworkPolicyPort[] }[];
}

export type NetworkPolicy = ApiObject<NetworkPolicySpec>;
