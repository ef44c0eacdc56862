import { type Cidr, cidrContains, type Family, firstAddress, formatIp, lastAddress, parseIp } from '@tapestry/base';
import { type ApiObject, recordsAt, stringsAt, valueAt } from '../objects.ts';
import type { Store } from '../storage/store.ts';
import type { ServiceAddresses } from './kind.ts';

const anyProtocol = '*';
const nodePorts = { first: 30_000, last: 32_767 };

/** Which addresses and node ports the stored Services have; follows the store, so it is never behind or lost. */
export function createServiceAddresses(store: Store, cidrs: readonly Cidr[]): ServiceAddresses {
	const addresses = new Set<string>();
	/** Of each port the protocols; one for health checks is taken for all. */
	const ports = new Map<unknown, unknown[]>();
	const next = new Map<Family, bigint>();
	const countPort = (port: unknown, protocol: unknown, change: 'add' | 'delete'): void => {
		if (!port) return;
		const others = ports.get(port) ?? [];
		const left = change === 'add' ? [...others, protocol] : others.toSpliced(others.indexOf(protocol), 1);
		if (left.length > 0) ports.set(port, left);
		else ports.delete(port);
	};
	const count = (service: ApiObject | undefined, change: 'add' | 'delete'): void => {
		if (!service) return;
		for (const address of addressesOf(service)) addresses[change](address);
		for (const port of recordsAt(service, 'spec.ports')) countPort(port.nodePort, port.protocol, change);
		countPort(valueAt(service, 'spec.healthCheckNodePort'), anyProtocol, change);
	};
	for (const service of store.scan('services')) count(service, 'add');
	store.subscribe('services', ({ type, before, object }) => {
		count(before, 'delete');
		if (type !== 'DELETED') count(object, 'add');
	});
	const cidrOf = (family: Family): Cidr | undefined => cidrs.find((cidr) => cidr.family === family);

	return {
		families: cidrs.map((cidr) => cidr.family),
		free(family) {
			const cidr = cidrOf(family);
			if (!cidr) return undefined;
			// The first address belongs to the Service `kubernetes`; the network's own and (IPv4) the broadcast address to nobody.
			const first = firstAddress(cidr).value + 1n;
			const last = lastAddress(cidr).value;
			const start = next.get(family) ?? first;
			let value = start;
			do {
				const text = formatIp({ family, value });
				value = value >= last ? first : value + 1n;
				if (addresses.has(text)) continue;
				// Goes on from here, so that the address of a deleted Service is not given to the next one at once.
				next.set(family, value);
				return text;
			} while (value !== start);
			return undefined;
		},
		available(text) {
			const ip = parseIp(text);
			return ip !== undefined && !addresses.has(formatIp(ip)) && cidrs.some((cidr) => cidrContains(cidr, ip));
		},
		freeNodePort(taken) {
			for (let port = nodePorts.first; port <= nodePorts.last; port++) if (!ports.has(port) && !taken.has(port)) return port;
			return undefined;
		},
		inNodePorts: (port) => Number.isInteger(port) && Number(port) >= nodePorts.first && Number(port) <= nodePorts.last,
		nodePortTaken: (port, protocol) => (ports.get(port) ?? []).some((other) => other === protocol || other === anyProtocol),
	};
}

function addressesOf(service: ApiObject): readonly string[] {
	// One address has many texts in IPv6; "None" is none.
	return stringsAt(service, 'spec.clusterIPs').flatMap((text) => {
		const ip = parseIp(text);
		return ip ? [formatIp(ip)] : [];
	});
}
