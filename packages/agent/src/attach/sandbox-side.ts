import { CodedError, formatIp, parseIp } from '@tapestry/base';
import {
	addAddress,
	findLink,
	getLink,
	type InterfaceAddress,
	listAddresses,
	listRoutes,
	Namespace,
	type NetlinkSocket,
	openRoute,
	replaceRoute,
} from '@tapestry/linux';
import type { Port, PortAddress } from '../port.ts';

/** Opens the sandbox's namespace, which a runtime may have taken away already. */
export function openSandbox(path: string): Namespace {
	try {
		return Namespace.open(path);
	} catch (cause) {
		throw new CodedError(
			'AGENT_SANDBOX',
			{ what: `the network namespace ${path} cannot be opened`, why: 'the container runtime removed it or never made it' },
			{ cause },
		);
	}
}

/** As `openSandbox`; undefined when there is no such namespace any more. */
export function findSandbox(path: string): Namespace | undefined {
	try {
		return path === '' ? undefined : Namespace.open(path);
	} catch {
		return undefined;
	}
}

/** Gives an interface of the sandbox the port's addresses. */
export function addPortAddresses(route: NetlinkSocket, ifname: string, port: Port): void {
	const { index } = getLink(route, ifname);
	for (const address of port.addresses) addAddress(route, index, parseInterfaceAddress(address));
}

/** Default routes over the port's gateways. The interface has to be up. */
export function addDefaultRoutes(route: NetlinkSocket, ifname: string, port: Port): void {
	const { index } = getLink(route, ifname);
	for (const { gateway } of port.addresses) {
		const ip = gateway === undefined ? undefined : parseIp(gateway);
		if (ip) replaceRoute(route, { family: ip.family, gateway: ip, link: index });
	}
}

/** What of an interface in the sandbox is not as the port wants it, each a sentence. */
export function sandboxFaults(path: string, ifname: string, port: Port, expect: { readonly routes: boolean }): readonly string[] {
	using namespace = findSandbox(path);
	if (!namespace) return [`the network namespace ${path} is gone`];
	using route = openRoute(namespace);
	const link = findLink(route, ifname);
	if (!link) return [`${ifname} is gone`];
	const faults: string[] = [];
	if (link.mac !== port.mac) faults.push(`${ifname} has MAC address ${link.mac}, not ${port.mac}`);
	if (link.mtu !== port.mtu) faults.push(`${ifname} has MTU ${link.mtu}, not ${port.mtu}`);
	const present = new Set(
		listAddresses(route)
			.filter((entry) => entry.link === link.index)
			.map(({ ip, prefix }) => `${formatIp(ip)}/${prefix}`),
	);
	for (const { address } of port.addresses) if (!present.has(address)) faults.push(`${ifname} lacks address ${address}`);
	if (!expect.routes) return faults;
	const gateways = new Set(
		listRoutes(route)
			.filter((entry) => entry.link === link.index && !entry.destination && entry.gateway)
			.map(({ gateway }) => gateway && formatIp(gateway)),
	);
	for (const { gateway } of port.addresses) {
		if (gateway && !gateways.has(gateway)) faults.push(`the default route via ${gateway} is gone`);
	}
	return faults;
}

export function parseInterfaceAddress({ address }: PortAddress): InterfaceAddress {
	const [text = '', prefix] = address.split('/');
	const ip = parseIp(text);
	if (!ip) throw new CodedError('AGENT_LEASE', { what: 'the lease cannot be used', why: `"${address}" is not an address` });
	return { ip, prefix: Number(prefix) };
}
