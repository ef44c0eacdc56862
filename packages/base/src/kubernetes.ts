/** Object metadata, as far as Tapestry reads or writes it. Source: Kubernetes API reference, meta/v1 ObjectMeta. */
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

/** Where a kind lives: `{group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true}`. */
export interface Resource {
	readonly group: string;
	readonly version: string;
	readonly plural: string;
	readonly kind: string;
	readonly namespaced: boolean;
}
