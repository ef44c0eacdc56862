import { compareIps, type Ip, isUnicastMac, parseIp, parseMac } from '@tapestry/base';
import { annotations } from './names.ts';
import type { Parsed, Problem } from './problem.ts';

/** The addresses of one port: at most one of each family, IPv4 first. */
export type PortAddresses = readonly Ip[];

/** Where a port's addresses may come from: an IPPool, or a list with the addresses of one port in each entry. */
export type PoolRequest =
	| { readonly kind: 'pool'; readonly name: string }
	| { readonly kind: 'list'; readonly entries: readonly PortAddresses[] };

/** Reads `ovn.kubernetes.io/ip_address`: `v4`, `v6` or `v4,v6`. */
export function parseIpAddress(text: string): Parsed<PortAddresses> {
	const ips = readPort(text);
	return ips
		? { value: ips }
		: {
				problem: malformed(
					annotations.ipAddress,
					text,
					'it is not one address, or one of each family',
					'write it like 10.16.0.15 or 10.16.0.15,fd00:10:16::15',
				),
			};
}

/**
 * Reads `ovn.kubernetes.io/ip_pool`. With `;` each part is one port's; without, `,` stands between ports, except that a single pair of
 * two families is one dual-stack port's (as Kube-OVN reads it).
 */
export function parseIpPool(text: string): Parsed<PoolRequest> {
	const trimmed = text.trim();
	if (poolName.test(trimmed) && !parseIp(trimmed)) return { value: { kind: 'pool', name: trimmed } };
	const pair = trimmed.includes(';') ? undefined : readPort(trimmed);
	const parts = pair ? [trimmed] : trimmed.split(trimmed.includes(';') ? ';' : ',');
	const entries = parts.map(readPort);
	if (entries.every((entry) => entry !== undefined)) return { value: { kind: 'list', entries } };
	const why = 'it is neither the name of an IPPool nor a list of addresses';
	return {
		problem: malformed(
			annotations.ipPool,
			text,
			why,
			'write it like 10.16.0.15,10.16.0.16 or 10.16.0.15,fd00:10:16::15;10.16.0.16,fd00:10:16::16',
		),
	};
}

/** Reads `ovn.kubernetes.io/mac_address`. */
export function parseMacAddress(text: string): Parsed<string> {
	const why = whyNotMac(text.trim());
	if (why === undefined) return { value: text.trim().toLowerCase() };
	return { problem: malformed(annotations.macAddress, text, why, macFix) };
}

/** Reads `macAddress` of an interface of a VM; KubeVirt takes dashes for colons. */
export function parseInterfaceMac(text: string): Parsed<string> {
	const mac = text.trim().toLowerCase().replaceAll('-', ':');
	const why = whyNotMac(mac);
	if (why === undefined) return { value: mac };
	const what = `the interface's macAddress cannot be ${JSON.stringify(text)}`;
	return { problem: { reason: 'MacMalformed', field: 'domain.devices.interfaces[].macAddress', what, why, fix: macFix } };
}

const macFix = 'write it like 02:00:00:53:6b:b6, or leave it out to be given one';

function whyNotMac(text: string): string | undefined {
	const mac = parseMac(text);
	if (mac === undefined) return 'it is not six octets with colons between them';
	return isUnicastMac(mac) ? undefined : 'it is a group address or zero, which no interface can have';
}

// An object name of Kubernetes: a DNS subdomain (RFC 1123).
const poolName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

function readPort(text: string): PortAddresses | undefined {
	const ips: Ip[] = [];
	for (const part of text.split(',')) {
		const ip = parseIp(part.trim());
		if (!ip || ips.some(({ family }) => family === ip.family)) return undefined;
		ips.push(ip);
	}
	return ips.sort(compareIps);
}

function malformed(annotation: string, text: string, why: string, fix: string): Problem {
	return {
		reason: 'AnnotationMalformed',
		field: `metadata.annotations[${annotation}]`,
		what: `${annotation} cannot be ${JSON.stringify(text)}`,
		why,
		fix,
	};
}
