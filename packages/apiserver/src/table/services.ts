import { valueAt } from '../objects.ts';
import { ageColumn, type Column, column, nameColumn, wide } from './column.ts';
import { formatLabels } from './labels.ts';
import { firstThree, listAt, mapAt, numberAt, orElse, orNone, textAt } from './read.ts';

export const serviceColumns: readonly Column[] = [
	nameColumn,
	column('Type', (service) => textAt(service, 'spec.type')),
	column('Cluster-IP', (service) => orNone(textAt(service, 'spec.clusterIP'))),
	column('External-IP', externalIps),
	column('Port(s)', (service) => orNone(listAt(service, 'spec.ports').map(servicePort).join(','))),
	ageColumn,
	wide('Selector', (service) => formatLabels(mapAt(service, 'spec.selector'))),
];

function externalIps(service: unknown): string {
	const type = textAt(service, 'spec.type');
	if (type === 'ExternalName') return textAt(service, 'spec.externalName');
	const assigned = listAt(service, 'spec.externalIPs').map(String);
	if (type !== 'LoadBalancer') return orNone(assigned.join(','));
	const balanced = listAt(service, 'status.loadBalancer.ingress').map((ingress) => textAt(ingress, 'ip') || textAt(ingress, 'hostname'));
	return orElse([...balanced, ...assigned].join(','), '<pending>');
}

function servicePort(port: unknown): string {
	const nodePort = numberAt(port, 'nodePort');
	return `${numberAt(port, 'port')}${nodePort > 0 ? `:${nodePort}` : ''}/${orElse(textAt(port, 'protocol'), 'TCP')}`;
}

export const endpointsColumns: readonly Column[] = [
	nameColumn,
	column('Endpoints', (endpoints) => firstThree(listAt(endpoints, 'subsets').flatMap(subsetEndpoints), '<none>')),
	ageColumn,
];

function subsetEndpoints(subset: unknown): readonly string[] {
	const ips = listAt(subset, 'addresses').map((address) => textAt(address, 'ip'));
	const ports = listAt(subset, 'ports').map((port) => numberAt(port, 'port'));
	if (ports.length === 0) return ips;
	return ports.flatMap((port) => ips.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)));
}

export const endpointSliceColumns: readonly Column[] = [
	nameColumn,
	column('AddressType', (slice) => textAt(slice, 'addressType')),
	column('Ports', (slice) =>
		firstThree(
			listAt(slice, 'ports').map((port) => `${valueAt(port, 'port') ?? '*'}`),
			'<unset>',
		),
	),
	column('Endpoints', (slice) =>
		firstThree(
			listAt(slice, 'endpoints').flatMap((endpoint) => listAt(endpoint, 'addresses').map(String)),
			'<unset>',
		),
	),
	ageColumn,
];
