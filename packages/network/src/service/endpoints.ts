import { type Family, parseIp } from '@tapestry/base';
import type { EndpointFacts, EndpointSliceFacts, ServiceFacts, ServicePortFacts } from '../world/objects.ts';

/** Who answers at a port of a service. */
export interface ServiceEndpoint {
	readonly address: string;
	readonly port: number;
	/** Empty when it is not known. */
	readonly node: string;
}

/**
 * The endpoints of one port in one family, sorted, without repetition: those that are ready, or, when none is, those that still serve while they
 * end, as kube-proxy has it. Balancers in OVN and the nodes' rules both ask here.
 */
export function serviceEndpoints(
	service: Pick<ServiceFacts, 'servesUnready'>,
	port: ServicePortFacts,
	family: Family,
	slices: readonly EndpointSliceFacts[],
): readonly ServiceEndpoint[] {
	const all = slices.filter((slice) => slice.family === family).flatMap((slice) => atPort(slice, port));
	const ready = all.filter(({ endpoint }) => endpoint.isReady || service.servesUnready);
	const chosen = ready.length > 0 ? ready : all.filter(({ endpoint }) => endpoint.isServing);
	// An endpoint may stand in two slices for a moment.
	const byAddress = new Map(
		chosen.map(({ endpoint: { address, node }, number }) => [`${address} ${number}`, { address, port: number, node }]),
	);
	return [...byAddress].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function atPort(
	{ endpoints, ports }: EndpointSliceFacts,
	{ name }: ServicePortFacts,
): { readonly endpoint: EndpointFacts; readonly number: number }[] {
	const number = ports[name];
	return number === undefined ? [] : endpoints.map((endpoint) => ({ endpoint, number }));
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function socketAddress(address: string, port: number): string {
	return parseIp(address)?.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
