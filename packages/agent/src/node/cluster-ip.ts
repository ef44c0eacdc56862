import { type Family, formatIp, parseIp } from '@tapestry/base';
import type { EndpointSlice, Service } from '@tapestry/kube';

/**
 * One port of a Service at one of its cluster IPs. `sessionAffinity` and `internalTrafficPolicy` are not followed: every connection of the node goes to
 * any endpoint. SCTP is left out.
 */
export interface ClusterIpPort {
	/** Tells it from all others and tells people what it is: `namespace/service/tcp/443/ipv4`. */
	readonly name: string;
	readonly family: Family;
	readonly protocol: 'tcp' | 'udp';
	readonly address: string;
	readonly port: number;
	/** Sorted, without repetition. */
	readonly endpoints: readonly TransportAddress[];
}

export interface TransportAddress {
	readonly address: string;
	readonly port: number;
}

/** Sorted, so that equal facts make equal rules. Of two Services with one cluster IP the first by name has it. */
export function clusterIpPorts(services: Iterable<Service>, slices: Iterable<EndpointSlice>): readonly ClusterIpPort[] {
	const slicesOf = Map.groupBy(
		slices,
		({ metadata: { namespace, labels } }) => `${namespace ?? ''}/${labels?.['kubernetes.io/service-name'] ?? ''}`,
	);
	const all = [...services]
		.flatMap((service) => portsOf(service, slicesOf.get(serviceKey(service)) ?? []))
		.sort((a, b) => compare(a.name, b.name));
	const byAddress = Map.groupBy(all, ({ protocol, address, port }) => `${protocol} ${address} ${port}`);
	return [...byAddress.values()].flatMap((claimants) => claimants.slice(0, 1));
}

function portsOf(service: Service, slices: readonly EndpointSlice[]): ClusterIpPort[] {
	const { type, clusterIP = '', clusterIPs = [clusterIP], ports = [], publishNotReadyAddresses = false } = service.spec ?? {};
	if (type === 'ExternalName') return [];
	// A headless service has "None" where addresses would be.
	const addresses = clusterIPs.flatMap((text) => parseIp(text) ?? []);
	return addresses.flatMap((ip) =>
		ports.flatMap(({ name = '', protocol: upper = 'TCP', port }) => {
			if (upper === 'SCTP') return [];
			const protocol = upper === 'UDP' ? 'udp' : 'tcp';
			return {
				name: `${serviceKey(service)}/${protocol}/${port}/ipv${ip.family}`,
				family: ip.family,
				protocol,
				address: formatIp(ip),
				port,
				endpoints: endpointsOf(slices, { portName: name, family: ip.family, withUnready: publishNotReadyAddresses }),
			} satisfies ClusterIpPort;
		}),
	);
}

function endpointsOf(
	slices: readonly EndpointSlice[],
	{ portName, family, withUnready }: { readonly portName: string; readonly family: Family; readonly withUnready: boolean },
): readonly TransportAddress[] {
	const found = new Map<string, TransportAddress>();
	for (const slice of slices) {
		const port = slice.ports?.find(({ name = '' }) => name === portName)?.port;
		if (port === undefined) continue;
		for (const { addresses, conditions } of slice.endpoints ?? []) {
			// Sources: discovery.k8s.io/v1 EndpointConditions, an unknown state is to be taken as ready; Endpoint, all addresses of one are the same.
			const ip = parseIp(addresses[0] ?? '');
			if (ip?.family !== family || !(withUnready || (conditions?.ready ?? true))) continue;
			const address = formatIp(ip);
			found.set(`${address} ${port}`, { address, port });
		}
	}
	return [...found].sort(([a], [b]) => compare(a, b)).map(([, endpoint]) => endpoint);
}

const serviceKey = ({ metadata: { namespace = '', name } }: Service): string => `${namespace}/${name}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
