import { type Family, formatIp, parseIp } from '@tapestry/base';
import { type Endpoint, type EndpointSlice, hasEnded, isReady, type Pod, type Service, type ServicePort } from '@tapestry/kube';

export type SlicePorts = NonNullable<EndpointSlice['ports']>;

/** Endpoints of one family whose ports have the same numbers, which one slice may hold. */
export interface EndpointGroup {
	readonly family: Family;
	readonly ports: SlicePorts;
	/** Ordered by address. */
	readonly endpoints: readonly Endpoint[];
}

/** True for a service whose slices are made here: others have none or their owner makes them. */
export function isServed(service: Service): boolean {
	return service.spec?.selector !== undefined && service.spec.type !== 'ExternalName';
}

/** True when the service's selector takes the pod; an empty one takes all of the namespace. */
export function selects(service: Service, pod: Pod): boolean {
	const labels = pod.metadata.labels ?? {};
	const selector = Object.entries(service.spec?.selector ?? {});
	return pod.metadata.namespace === service.metadata.namespace && selector.every(([key, value]) => labels[key] === value);
}

/** What stands behind a service. A machine whose old launcher pod lingers beside the new one has one address, and is one endpoint. */
export function endpointGroups(service: Service, pods: Iterable<Pod>): readonly EndpointGroup[] {
	const alive = [...pods].filter((pod) => selects(service, pod) && !hasEnded(pod)).sort(byPreference);
	const families = (service.spec?.ipFamilies ?? ['IPv4']).map((name) => (name === 'IPv6' ? 6 : 4));
	return families.flatMap((family) => groupsOfFamily(service, alive, family));
}

function groupsOfFamily(service: Service, pods: readonly Pod[], family: Family): EndpointGroup[] {
	const seen = new Set<string>();
	const groups = new Map<string, { readonly ports: SlicePorts; readonly endpoints: Endpoint[] }>();
	for (const pod of pods) {
		const address = addressOf(pod, family);
		if (address === undefined || seen.has(address)) continue;
		seen.add(address);
		const ports = portsOf(service, pod);
		// None of the service's ports is known to the pod.
		if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
		const key = JSON.stringify(ports);
		const group = groups.get(key) ?? { ports, endpoints: [] };
		groups.set(key, group);
		group.endpoints.push(endpointOf(service, pod, address));
	}
	return [...groups.values()].map(({ ports, endpoints }) => ({
		family,
		ports,
		endpoints: endpoints.sort((a, b) => compare(a.addresses[0] ?? '', b.addresses[0] ?? '')),
	}));
}

function endpointOf(service: Service, pod: Pod, address: string): Endpoint {
	const { name, namespace, uid, deletionTimestamp } = pod.metadata;
	const { nodeName, hostname, subdomain } = pod.spec ?? { containers: [] };
	const serving = isReady(pod);
	const terminating = deletionTimestamp !== undefined;
	// Source: discovery.k8s.io/v1 EndpointConditions.
	const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
	const hasName = hostname !== undefined && subdomain === service.metadata.name;
	return {
		addresses: [address],
		conditions: { ready, serving, terminating },
		...(hasName ? { hostname } : {}),
		...(nodeName ? { nodeName } : {}),
		targetRef: { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name, ...(uid === undefined ? {} : { uid }) },
	};
}

/** The service's ports as this pod has them; one that it does not name is left out. */
function portsOf(service: Service, pod: Pod): SlicePorts {
	return (service.spec?.ports ?? []).flatMap((port) => {
		const number = targetOf(port, pod);
		return number === undefined ? [] : { name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: number };
	});
}

function targetOf({ targetPort, port, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
	if (typeof targetPort !== 'string') return targetPort || port;
	if (/^\d+$/.test(targetPort)) return Number(targetPort);
	const declared = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports);
	return declared.find((one) => one.name === targetPort && (one.protocol ?? 'TCP') === protocol)?.containerPort;
}

function addressOf(pod: Pod, family: Family): string | undefined {
	for (const { ip } of pod.status?.podIPs ?? []) {
		const parsed = parseIp(ip);
		if (parsed?.family === family) return formatIp(parsed);
	}
	return undefined;
}

/** Of pods with one address the first is the one that answers: the ready one, else the one that stays, else the newest. */
function byPreference(a: Pod, b: Pod): number {
	const rank = (pod: Pod): number => (isReady(pod) ? 0 : 2) + (pod.metadata.deletionTimestamp === undefined ? 0 : 1);
	const age = compare(b.metadata.creationTimestamp ?? '', a.metadata.creationTimestamp ?? '');
	return rank(a) - rank(b) || age || compare(a.metadata.name, b.metadata.name);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
