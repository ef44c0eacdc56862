import type { ObjectMeta, Resource } from '@tapestry/base';

export type { ObjectMeta, OwnerReference, Resource } from '@tapestry/base';

/** An object of one of our kinds. `spec` is always there: the schemas require it or default it to `{}`. */
export interface ApiObject<Spec, Status = never> {
	readonly apiVersion?: string;
	readonly kind?: string;
	readonly metadata: ObjectMeta;
	readonly spec: Spec;
	readonly status?: Status;
}

/** A cluster-scoped kind of Kube-OVN's API group. */
export function kubeOvnResource(plural: string, kind: string): Resource {
	return { group: 'kubeovn.io', version: 'v1', plural, kind, namespaced: false };
}
