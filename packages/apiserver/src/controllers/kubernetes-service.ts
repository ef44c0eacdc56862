import { type Cidr, firstAddress, formatIp, parseIp } from '@tapestry/base';
import type { ApiObject } from '../objects.ts';
import type { RestContext } from '../rest/context.ts';
import { createObject } from '../rest/create.ts';
import { updateObject } from '../rest/update.ts';

/** The address of the Service `kubernetes`: the first one. */
export function kubernetesAddress(cidr: Cidr): string {
	return formatIp(firstAddress(cidr));
}

/** Publishes this server as Service, Endpoints and EndpointSlice `default/kubernetes`, as kube-apiserver does. */
export function publishKubernetesService(
	context: RestContext,
	cidr: Cidr,
	advertise: { readonly host: string; readonly port: number },
): void {
	const metadata = { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } };
	const port = { name: 'https', port: advertise.port, protocol: 'TCP' };
	ensure(context, 'services', {
		apiVersion: 'v1',
		kind: 'Service',
		metadata,
		spec: {
			type: 'ClusterIP',
			clusterIP: kubernetesAddress(cidr),
			clusterIPs: [kubernetesAddress(cidr)],
			ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: advertise.port }],
		},
	});
	ensure(context, 'endpoints', {
		apiVersion: 'v1',
		kind: 'Endpoints',
		metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
		subsets: [{ addresses: [{ ip: advertise.host }], ports: [port] }],
	});
	ensure(context, 'endpointslices.discovery.k8s.io', {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
		addressType: parseIp(advertise.host)?.family === 6 ? 'IPv6' : 'IPv4',
		endpoints: [{ addresses: [advertise.host], conditions: { ready: true } }],
		ports: [port],
	});
}

function ensure(context: RestContext, resource: string, object: ApiObject): void {
	const endpoint = context.registry.endpointOf(resource);
	if (!endpoint) return;
	const { name } = object.metadata;
	const target = { endpoint, namespace: 'default', name };
	if (!context.store.get(resource, 'default', name)) createObject(context, target, object);
	else updateObject(context, target, (served) => ({ ...object, metadata: { ...served.metadata, labels: object.metadata.labels } }));
}
