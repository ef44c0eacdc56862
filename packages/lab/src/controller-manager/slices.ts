import { isDeepStrictEqual } from 'node:util';
import type { Endpoint, EndpointSlice, Pod, Service } from '@tapestry/kube';
import { nameSuffix } from '../name-suffix.ts';
import { type EndpointGroup, endpointGroups } from './endpoints.ts';

export const sliceLabels = {
	service: 'kubernetes.io/service-name',
	manager: 'endpointslice.kubernetes.io/managed-by',
	headless: 'service.kubernetes.io/headless',
} as const;
/** Kubernetes' own: it takes over slices that were made here, and the other way round. */
export const sliceManager = 'endpointslice-controller.k8s.io';

/** The default of kube-controller-manager, --max-endpoints-per-slice. */
const mostEndpoints = 100;

export interface SliceChanges {
	readonly create: readonly EndpointSlice[];
	readonly update: readonly EndpointSlice[];
	/** To be removed after the others are written, so that no endpoint is missing in between. */
	readonly remove: readonly EndpointSlice[];
}

/** What to change in the service's slices. An endpoint stays in its slice, so that a change of one pod writes one slice. */
export function decideSlices(service: Service, pods: Iterable<Pod>, slices: readonly EndpointSlice[]): SliceChanges {
	const kept = new Map<string, EndpointSlice>();
	const wanted: EndpointSlice[] = [];
	for (const group of endpointGroups(service, pods)) {
		const own = slices
			.filter((slice) => slice.addressType === `IPv${group.family}` && isDeepStrictEqual(slice.ports ?? [], group.ports))
			.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
		for (const [slice, endpoints] of distribute(group, own)) {
			const next = sliceOf(service, group, endpoints, slice ?? newName(service, group, [...slices, ...wanted]));
			if (slice === undefined) wanted.push(next);
			else kept.set(slice.metadata.name, next);
		}
	}
	return {
		create: wanted,
		update: slices.flatMap((slice) => {
			const next = kept.get(slice.metadata.name);
			return next === undefined || isDeepStrictEqual(next, slice) ? [] : [next];
		}),
		remove: slices.filter(({ metadata }) => !kept.has(metadata.name)),
	};
}

/** The group's endpoints over its slices, undefined for new ones. Slices that would be empty are left out. */
function distribute(group: EndpointGroup, slices: readonly EndpointSlice[]): (readonly [EndpointSlice | undefined, readonly Endpoint[]])[] {
	const waiting = new Map(group.endpoints.map((endpoint) => [endpoint.addresses[0] ?? '', endpoint]));
	const parts = slices.map((slice): [EndpointSlice | undefined, Endpoint[]] => {
		const stay = (slice.endpoints ?? []).flatMap(({ addresses }) => {
			const endpoint = waiting.get(addresses[0] ?? '');
			waiting.delete(addresses[0] ?? '');
			return endpoint ?? [];
		});
		return [slice, stay];
	});
	for (const endpoint of waiting.values()) {
		const room = parts.find(([, endpoints]) => endpoints.length < mostEndpoints);
		if (room) room[1].push(endpoint);
		else parts.push([undefined, [endpoint]]);
	}
	return parts.filter(([, endpoints]) => endpoints.length > 0);
}

function sliceOf(service: Service, group: EndpointGroup, endpoints: readonly Endpoint[], base: EndpointSlice | string): EndpointSlice {
	const { name, namespace, uid = '', labels } = service.metadata;
	const headless = service.spec?.clusterIP === 'None' ? { [sliceLabels.headless]: '' } : {};
	const before = typeof base === 'string' ? undefined : base;
	return {
		...before,
		metadata: {
			...(before?.metadata ?? { name: String(base) }),
			...(namespace === undefined ? {} : { namespace }),
			labels: { ...labels, ...headless, [sliceLabels.service]: name, [sliceLabels.manager]: sliceManager },
			ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true }],
		},
		addressType: `IPv${group.family}`,
		endpoints,
		ports: group.ports,
	};
}

function newName(service: Service, { family, ports }: EndpointGroup, taken: readonly EndpointSlice[]): string {
	for (let index = 0; ; index++) {
		const { name, uid } = service.metadata;
		const candidate = `${name}-${nameSuffix(JSON.stringify([uid, family, ports, index]))}`;
		if (!taken.some(({ metadata }) => metadata.name === candidate)) return candidate;
	}
}
