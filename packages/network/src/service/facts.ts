import { formatIp, type ObjectMeta, parseIp } from '@tapestry/base';
import { annotations } from '../api/names.ts';
import type { EndpointFacts, EndpointSliceFacts, ServiceFacts } from '../world/objects.ts';

/** What is read of a Service. Source: Kubernetes API reference, core/v1. */
export interface ServiceObject {
	readonly metadata: ObjectMeta;
	readonly spec?: {
		readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
		readonly clusterIP?: string;
		readonly clusterIPs?: readonly string[];
		readonly externalIPs?: readonly string[];
		readonly ports?: readonly {
			readonly name?: string;
			readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
			readonly port: number;
			readonly nodePort?: number;
		}[];
		readonly sessionAffinity?: 'None' | 'ClientIP';
		readonly publishNotReadyAddresses?: boolean;
		readonly internalTrafficPolicy?: 'Cluster' | 'Local';
		readonly externalTrafficPolicy?: 'Cluster' | 'Local';
	};
	readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** What is read of an EndpointSlice. Source: Kubernetes API reference, discovery.k8s.io/v1. */
export interface EndpointSliceObject {
	readonly metadata: ObjectMeta;
	readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
	readonly endpoints?: readonly {
		readonly addresses: readonly string[];
		readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
		readonly nodeName?: string;
	}[];
	readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
}

export function serviceFacts({ metadata, spec = {}, status }: ServiceObject): ServiceFacts {
	const { type = 'ClusterIP', clusterIP = '', clusterIPs = [clusterIP], externalIPs = [], ports = [] } = spec;
	const isOpen = type === 'NodePort' || type === 'LoadBalancer';
	const ingress = type === 'LoadBalancer' ? (status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip) : [];
	return {
		namespace: metadata.namespace ?? '',
		name: metadata.name,
		vpc: metadata.annotations?.[annotations.vpc] ?? metadata.annotations?.[annotations.logicalRouter],
		// A headless service has "None" where addresses would be.
		clusterIps: type === 'ExternalName' ? [] : addresses(clusterIPs),
		externalIps: type === 'ExternalName' ? [] : addresses([...ingress, ...externalIPs]),
		ports: ports.map(({ name = '', protocol, port, nodePort }) => ({
			name,
			protocol: protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp',
			port,
			nodePort: isOpen ? nodePort : undefined,
		})),
		isSticky: spec.sessionAffinity === 'ClientIP',
		servesUnready: spec.publishNotReadyAddresses ?? false,
		internal: spec.internalTrafficPolicy ?? 'Cluster',
		external: spec.externalTrafficPolicy ?? 'Cluster',
	};
}

/** `undefined` for slices that no service selects and for names instead of addresses. */
export function endpointSliceFacts(slice: EndpointSliceObject): EndpointSliceFacts | undefined {
	const service = slice.metadata.labels?.['kubernetes.io/service-name'];
	if (!service || slice.addressType === 'FQDN') return undefined;
	const ports = (slice.ports ?? []).flatMap(({ name = '', port }) => (port === undefined ? [] : [[name, port] as const]));
	return {
		service: `${slice.metadata.namespace ?? ''}/${service}`,
		family: slice.addressType === 'IPv4' ? 4 : 6,
		endpoints: (slice.endpoints ?? []).flatMap(({ addresses: all, conditions, nodeName = '' }): EndpointFacts[] => {
			// Source: discovery.k8s.io/v1 Endpoint: all addresses of one are the same.
			const [address] = addresses(all.slice(0, 1));
			if (address === undefined) return [];
			// Source: discovery.k8s.io/v1 EndpointConditions: an unknown state is to be taken as ready.
			const isReady = conditions?.ready ?? true;
			return [{ address, isReady, isServing: conditions?.serving ?? isReady, node: nodeName }];
		}),
		ports: Object.fromEntries(ports),
	};
}

/** One address has many texts. */
function addresses(texts: readonly string[]): string[] {
	const known = texts.flatMap((text) => {
		const ip = parseIp(text);
		return ip ? [formatIp(ip)] : [];
	});
	return [...new Set(known)];
}
