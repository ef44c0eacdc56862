import {
	apiVersionOf,
	findCondition,
	type KubeObject,
	type OwnerReference,
	type Pod,
	type PodTemplate,
	type Resource,
} from '@tapestry/kube';
import { nameSuffix } from '../name-suffix.ts';

/** The reference of an object to the one that controls it. */
export function controlledBy(resource: Resource, { metadata }: KubeObject): OwnerReference {
	const { name, uid = '' } = metadata;
	return { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export interface PodIdentity {
	readonly name: string;
	readonly labels?: Readonly<Record<string, string>>;
	readonly hostname?: string;
	readonly subdomain?: string;
}

/** The pod that a workload's template describes. */
export function podOf(owner: KubeObject, reference: OwnerReference, template: PodTemplate, identity: PodIdentity): Pod {
	const { namespace } = owner.metadata;
	const { name, labels, hostname, subdomain } = identity;
	const { metadata = {}, spec } = template;
	return {
		metadata: {
			...(metadata.annotations ? { annotations: metadata.annotations } : {}),
			...(metadata.finalizers ? { finalizers: metadata.finalizers } : {}),
			name,
			...(namespace === undefined ? {} : { namespace }),
			labels: { ...metadata.labels, ...labels },
			ownerReferences: [reference],
		},
		spec: { ...spec, ...(hostname ? { hostname } : {}), ...(subdomain ? { subdomain } : {}) },
	};
}

export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Milliseconds until a ready pod counts as available: 0 when it does, infinity when it is not ready. `now` is milliseconds since the epoch. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number {
	const ready = findCondition(pod.status?.conditions, 'Ready');
	if (ready?.status !== 'True' || isLeaving(pod)) return Number.POSITIVE_INFINITY;
	return minReadySeconds === 0 ? 0 : Math.max(0, Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000 - now);
}

/** The soonest time at which one of the pods becomes available by waiting; undefined when none does. */
export function nextAvailable(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
	const waits = pods.map((pod) => availableIn(pod, minReadySeconds, now)).filter((ms) => ms > 0 && Number.isFinite(ms));
	return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Equal templates have equal ones, in whatever order their fields stand. */
export function templateHash(template: PodTemplate): string {
	return nameSuffix(JSON.stringify(sorted(template)));
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== 'object' || value === null) return value;
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]));
}
