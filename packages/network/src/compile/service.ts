import { parseIp } from '@tapestry/base';
import { defaultNames } from '../api/names.ts';
import type { DesiredRow, Fragment } from '../plan/model.ts';
import { serviceEndpoints, socketAddress } from '../service/endpoints.ts';
import type { EndpointSliceFacts, ServiceFacts, ServicePortFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { serviceGroupPlace } from './vpc.ts';

/** The balancers of a service's addresses, in the VPC that it serves in. */
export function compileService(key: string, read: Read): Fragment {
	const service = read.get('Service', key);
	if (!service || service.clusterIps.length + service.externalIps.length === 0) return { rows: [] };
	const slices = read.list('EndpointSlice', 'service', key);
	const vpc = service.vpc ?? vpcOfEndpoints(service.namespace, slices, read) ?? defaultNames.vpc;
	const addresses = [...clusterIpsOf(service, vpc), ...service.externalIps];
	if (addresses.length === 0) return { rows: [] };
	return { rows: balancers(`service/${key}`, { ...service, addresses, vpc, slices }) };
}

/**
 * `internalTrafficPolicy: Local` asks for the endpoints of the client's own node. A balancer is the same on every node; so these addresses are left to the
 * node's rules, which a pod's packet meets on its way out. A VPC of a tenant has no such way.
 */
function clusterIpsOf({ internal, clusterIps }: ServiceFacts, vpc: string): readonly string[] {
	return internal === 'Local' && vpc === defaultNames.vpc ? [] : clusterIps;
}

export interface Balanced extends Pick<ServiceFacts, 'ports' | 'isSticky' | 'servesUnready'> {
	readonly addresses: readonly string[];
	readonly vpc: string;
	readonly slices: readonly EndpointSliceFacts[];
	/** Who asks which endpoints whether they are alive: `PORT:SOURCE` by IPv4 address (ovn-nb(5), Load_Balancer.ip_port_mappings). */
	readonly asked?: Readonly<Record<string, string>>;
}

/** One for each protocol, because Load_Balancer.protocol holds one. */
export function balancers(key: string, balanced: Balanced): DesiredRow[] {
	const protocols = [...new Set(balanced.ports.map((port) => port.protocol))];
	return protocols.flatMap((protocol) => {
		const row = balancer(`${key}/${protocol}`, balanced, protocol);
		return [row, ...(balanced.asked && protocol !== 'sctp' ? healthChecks(row) : [])];
	});
}

function balancer(key: string, balanced: Balanced, protocol: ServicePortFacts['protocol']): DesiredRow {
	const { ports, addresses, slices, isSticky, vpc } = balanced;
	const vips: Record<string, string> = {};
	for (const port of ports.filter((one) => one.protocol === protocol)) {
		for (const ip of addresses) {
			const family = parseIp(ip)?.family;
			if (!family) continue;
			const endpoints = serviceEndpoints(balanced, port, family, slices);
			vips[socketAddress(ip, port.port)] = endpoints.map((one) => socketAddress(one.address, one.port)).join(',');
		}
	}
	return {
		table: 'Load_Balancer',
		key,
		columns: {
			name: key,
			protocol,
			vips,
			// Without an endpoint Kubernetes answers "connection refused" rather than silence.
			options: { reject: 'true' },
			// A hash of the addresses keeps a client at its endpoint without state in the switch.
			selection_fields: isSticky ? ['ip_src', 'ip_dst'] : [],
			...(balanced.asked && protocol !== 'sctp' ? { ip_port_mappings: balanced.asked } : {}),
		},
		listedIn: [serviceGroupPlace(vpc)],
	};
}

/** An endpoint is left out after three questions in a row without an answer, and is back after three with one. IPv4 only in OVN. */
function healthChecks({ key, columns }: DesiredRow): DesiredRow[] {
	const vips = Object.keys(columns.vips as Readonly<Record<string, string>>).filter((vip) => !vip.startsWith('['));
	return vips.map((vip) => ({
		table: 'Load_Balancer_Health_Check',
		key: `${key}/${vip}`,
		columns: { vip, options: { interval: '2', timeout: '2', success_count: '3', failure_count: '3' } },
		listedIn: [{ table: 'Load_Balancer', key, column: 'health_check' }],
	}));
}

/** Where the pods are that stand behind it: the lease of an endpoint tells, as addresses may be the same in several VPCs. */
export function vpcOfEndpoints(namespace: string, slices: readonly EndpointSliceFacts[], read: Read): string | undefined {
	const [first] = slices.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)).sort();
	if (first === undefined) return undefined;
	const lease = read.list('IP', 'address', first).find((one) => one.namespace === namespace);
	return lease && read.get('Subnet', lease.subnet)?.vpc;
}
