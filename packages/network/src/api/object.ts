/** Object metadata of Kubernetes; has the shape of the same type in `@tapestry/kube`, which this pure package may not import. */
export interface ObjectMeta {
	readonly name: string;
	readonly namespace?: string;
	readonly generateName?: string;
	readonly uid?: string;
	readonly resourceVersion?: string;
	readonly generation?: number;
	readonly creationTimestamp?: string;
	readonly deletionTimestamp?: string;
	readonly deletionGracePeriodSeconds?: number;
	readonly labels?: Readonly<Record<string, string>>;
	readonly annotations?: Readonly<Record<string, string>>;
	readonly finalizers?: readonly string[];
	readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
	readonly apiVersion: string;
	readonly kind: string;
	readonly name: string;
	readonly uid: string;
	readonly controller?: boolean;
	readonly blockOwnerDeletion?: boolean;
}

/** An object of one of our kinds. `spec` is always there: the schemas require it or default it to `{}`. */
export interface ApiObject<Spec, Status = never> {
	readonly apiVersion?: string;
	readonly kind?: string;
	readonly metadata: ObjectMeta;
	readonly spec: Spec;
	readonly status?: Status;
}

/** Where a kind lives in the API. */
export interface Resource {
	readonly group: string;
	readonly version: string;
	readonly plural: string;
	readonly kind: string;
	readonly namespaced: boolean;
}

/** A cluster-scoped kind of Kube-OVN's API group. */
export function kubeOvnResource(plural: string, kind: string): Resource {
	return { group: 'kubeovn.io', version: 'v1', plural, kind, namespaced: false };
}
