/** How one field merges, and the fields below it. Fields that are not named merge as objects and replace as lists. */
export interface MergeSchema {
	/** `patchStrategy: merge` of a list: by the value of `key`, or, without a key, as a set of primitives. */
	readonly list?: ListMerge;
	/** Members of the object, or of each item of the list. */
	readonly fields?: Readonly<Record<string, MergeSchema>>;
	/** `patchStrategy: replace` of an object. */
	readonly replace?: true;
}

export interface ListMerge {
	/** `patchMergeKey`. */
	readonly key?: string;
	/**
	 * A second member that tells items of one key apart, and its value when absent. Kubernetes knows only the first, and so confuses
	 * 53/UDP with 53/TCP and the two InternalIPs of a dual-stack node.
	 */
	readonly also?: { readonly field: string; readonly absent: string };
}

const by = (key: string, fields: Readonly<Record<string, MergeSchema>> = {}): MergeSchema => ({ list: { key }, fields });
const primitives: MergeSchema = { list: {} };
const port = (key: string): MergeSchema => ({ list: { key, also: { field: 'protocol', absent: 'TCP' } } });
const addresses: MergeSchema = { list: { key: 'type', also: { field: 'address', absent: '' } } };
const conditions = by('type');

// The `patchStrategy` and `patchMergeKey` tags of k8s.io/apimachinery/pkg/apis/meta/v1 and k8s.io/api, types.go.
const metadata: MergeSchema = { fields: { ownerReferences: by('uid'), finalizers: primitives } };

const container = {
	env: by('name'),
	ports: port('containerPort'),
	volumeMounts: by('mountPath'),
	volumeDevices: by('devicePath'),
} satisfies Readonly<Record<string, MergeSchema>>;

const podSpec: MergeSchema = {
	fields: {
		containers: by('name', container),
		initContainers: by('name', container),
		ephemeralContainers: by('name', container),
		volumes: by('name'),
		imagePullSecrets: by('name'),
		hostAliases: by('ip'),
		topologySpreadConstraints: by('topologyKey'),
		schedulingGates: by('name'),
		resourceClaims: by('name'),
	},
};

const podStatus: MergeSchema = { fields: { conditions, podIPs: by('ip'), hostIPs: by('ip') } };
const podTemplate: MergeSchema = { fields: { metadata, spec: podSpec } };
const workload: Readonly<Record<string, MergeSchema>> = {
	spec: { fields: { template: podTemplate } },
	status: { fields: { conditions } },
};
const conditionsOnly: Readonly<Record<string, MergeSchema>> = { status: { fields: { conditions } } };
const webhooks: Readonly<Record<string, MergeSchema>> = { webhooks: by('name') };

const kinds: Readonly<Record<string, Readonly<Record<string, MergeSchema>>>> = {
	'/Pod': { spec: podSpec, status: podStatus },
	'/PodTemplate': { template: podTemplate },
	'/ReplicationController': workload,
	'/Service': { spec: { fields: { ports: port('port') } }, status: { fields: { conditions } } },
	'/ServiceAccount': { secrets: by('name') },
	'/Namespace': conditionsOnly,
	'/Node': { spec: { fields: { podCIDRs: primitives } }, status: { fields: { conditions, addresses } } },
	'/PersistentVolumeClaim': conditionsOnly,
	'apps/Deployment': workload,
	'apps/ReplicaSet': workload,
	'apps/StatefulSet': workload,
	'apps/DaemonSet': workload,
	'batch/Job': workload,
	'batch/CronJob': { spec: { fields: { jobTemplate: { fields: { metadata, spec: { fields: { template: podTemplate } } } } } } },
	'policy/PodDisruptionBudget': conditionsOnly,
	'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
	'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
};

/** Groups of kinds that are Go types in Kubernetes; all other groups hold custom resources. */
const builtinGroups: ReadonlySet<string> = new Set([
	'',
	'admissionregistration.k8s.io',
	'apiextensions.k8s.io',
	'apiregistration.k8s.io',
	'apps',
	'autoscaling',
	'batch',
	'coordination.k8s.io',
	'discovery.k8s.io',
	'events.k8s.io',
	'networking.k8s.io',
	'node.k8s.io',
	'policy',
	'rbac.authorization.k8s.io',
	'scheduling.k8s.io',
	'storage.k8s.io',
]);

/** How `field` of an object with these rules merges. */
export function fieldOf(schema: MergeSchema, field: string): MergeSchema {
	return (schema.fields && Object.hasOwn(schema.fields, field) ? schema.fields[field] : undefined) ?? {};
}

/** The strategic merge rules of a built-in kind; undefined for custom resources, which have none (the API server answers 415). */
export function mergeSchemaFor(group: string, _version: string, kind: string): MergeSchema | undefined {
	if (!builtinGroups.has(group)) return undefined;
	return { fields: { metadata, ...kinds[`${group}/${kind}`] } };
}
