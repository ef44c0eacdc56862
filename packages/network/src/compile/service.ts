import { type Family, parseIp } from '@tapestry/base';
import type { DesiredRow, Fragment } from '../plan/model.ts';
import type { EndpointSliceFacts, ServiceFacts, ServicePortFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { serviceGroupPlace } from './vpc.ts';

/** A ClusterIP service as one balancer for each protocol, because Load_Balancer.protocol holds one. */
export function compileService(key: string, read: Read): Fragment {
	const service = read.get('Service', key);
	if (!service || service.clusterIps.length === 0) return { rows: [] };
	const slices = read.list('EndpointSlice', 'service', key);
	const protocols = [...new Set(service.ports.map((port) => port.protocol))];
	return { rows: protocols.map((protocol) => balancer(key, service, protocol, slices)) };
}

function balancer(
	key: string,
	service: ServiceFacts,
	protocol: ServicePortFacts['protocol'],
	slices: readonly EndpointSliceFacts[],
): DesiredRow {
	const vips: Record<string, string> = {};
	for (const port of service.ports.filter((one) => one.protocol === protocol)) {
		for (const ip of service.clusterIps) {
			const family = parseIp(ip)?.family;
			if (family) vips[endpoint(ip, family, port.port)] = backends(service, port, family, slices).join(',');
		}
	}
	return {
		table: 'Load_Balancer',
		key: `service/${key}/${protocol}`,
		columns: {
			name: `service/${key}/${protocol}`,
			protocol,
			vips,
			// Without an endpoint Kubernetes answers "connection refused" rather than silence.
			options: { reject: 'true' },
			// A hash of the addresses keeps a client at its endpoint without state in the switch.
			selection_fields: service.isSticky ? ['ip_src', 'ip_dst'] : [],
		},
		listedIn: [serviceGroupPlace],
	};
}

function backends(service: ServiceFacts, port: ServicePortFacts, family: Family, slices: readonly EndpointSliceFacts[]): string[] {
	const found = slices
		.filter((slice) => slice.family === family && slice.ports[port.name] !== undefined)
		.flatMap((slice) =>
			slice.endpoints
				.filter(({ isReady }) => isReady || service.servesUnready)
				.map(({ address }) => endpoint(address, family, slice.ports[port.name] ?? 0)),
		);
	// An endpoint may stand in two slices for a moment.
	return [...new Set(found)].sort();
}

function endpoint(ip: string, family: Family, port: number): string {
	return family === 4 ? `${ip}:${port}` : `[${ip}]:${port}`;
}
