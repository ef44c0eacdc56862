import type { EndpointSlice, Service } from '@tapestry/kube';
import type { EndpointSliceFacts, ServiceFacts } from '@tapestry/network';

export function serviceFacts(service: Service): ServiceFacts {
	const { name, namespace = '' } = service.metadata;
	const { type, clusterIP, clusterIPs, ports = [], sessionAffinity, publishNotReadyAddresses = false } = service.spec ?? {};
	const ips = type === 'ExternalName' ? [] : (clusterIPs ?? [clusterIP ?? '']);
	return {
		namespace,
		name,
		clusterIps: ips.filter((ip) => ip !== '' && ip !== 'None'),
		ports: ports.map((port) => ({ name: port.name ?? '', protocol: protocolOf(port.protocol), port: port.port })),
		isSticky: sessionAffinity === 'ClientIP',
		servesUnready: publishNotReadyAddresses,
	};
}

/** `undefined` for slices that no service selects and for names instead of addresses. */
export function endpointSliceFacts(slice: EndpointSlice): EndpointSliceFacts | undefined {
	const service = slice.metadata.labels?.['kubernetes.io/service-name'];
	if (!service || slice.addressType === 'FQDN') return undefined;
	const ports = (slice.ports ?? []).flatMap(({ name = '', port }) => (port === undefined ? [] : [[name, port] as const]));
	return {
		service: `${slice.metadata.namespace ?? ''}/${service}`,
		family: slice.addressType === 'IPv4' ? 4 : 6,
		// Source: discovery.k8s.io/v1 EndpointConditions: an unknown state is to be taken as ready.
		endpoints: (slice.endpoints ?? []).flatMap(({ addresses, conditions }) =>
			addresses.slice(0, 1).map((address) => ({ address, isReady: conditions?.ready ?? true })),
		),
		ports: Object.fromEntries(ports),
	};
}

function protocolOf(protocol: 'TCP' | 'UDP' | 'SCTP' = 'TCP'): 'tcp' | 'udp' | 'sctp' {
	return protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp';
}
