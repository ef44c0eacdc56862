import { formatCidr, formatIp, type Ip, parseCidr, parseIp } from '@tapestry/base';
import type { Problem } from '../problem.ts';
import type { Subnet } from '../subnet.ts';
import { subnetBlocks, subnetGateways } from '../subnet-addressing.ts';
import type { Options } from './read-options.ts';
import { bareDomains, inBraces } from './value-types.ts';

export interface SubnetOptions {
	readonly dhcpV4: Options;
	readonly dhcpV6: Options;
	/** Of the router advertisements. */
	readonly ra: Options;
	readonly problems: readonly Problem[];
}

/** What `spec.dhcp` says. Entries that cannot be told to guests are left out and told about. */
export function typedOptions(subnet: Subnet): SubnetOptions {
	const { dns = [], domain, ntp = [], leaseSeconds } = subnet.spec.dhcp ?? {};
	const problems: Problem[] = [];
	const servers = addresses(dns, 'dns', problems);
	const v4 = servers.filter(({ family }) => family === 4).map(formatIp);
	const v6 = servers.filter(({ family }) => family === 6).map(formatIp);
	const name = domain ? readDomain(domain, problems) : undefined;
	const dhcpV4 = {
		dns_server: inBraces(v4),
		domain_name: name && JSON.stringify(name),
		ntp_server: inBraces(timeServers(ntp, problems)),
		classless_static_route: inBraces(routes(subnet, problems)),
		lease_time: leaseSeconds === undefined ? undefined : String(leaseSeconds),
	};
	const dhcpV6 = { dns_server: inBraces(v6), domain_search: dhcpV4.domain_name };
	// ovn-nb(5): an advertisement carries one server.
	const ra = { rdnss: v6[0], dnssl: name };
	return { dhcpV4: given(dhcpV4), dhcpV6: given(dhcpV6), ra: given(ra), problems };
}

function given(options: Readonly<Record<string, string | undefined>>): Options {
	return Object.fromEntries(Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function addresses(list: readonly string[], field: 'dns' | 'ntp', problems: Problem[]): readonly Ip[] {
	return list.flatMap((text, index) => {
		const ip = parseIp(text);
		if (!ip) problems.push(wrong(`${field}[${index}]`, text, 'it is not an address', 'write it like 10.96.0.10'));
		return ip ?? [];
	});
}

function timeServers(ntp: readonly string[], problems: Problem[]): readonly string[] {
	return addresses(ntp, 'ntp', problems).flatMap((ip) => {
		if (ip.family === 4) return formatIp(ip);
		problems.push(wrong('ntp', formatIp(ip), "OVN's DHCPv6 cannot tell time servers", 'give IPv4 addresses'));
		return [];
	});
}

function readDomain(domain: string, problems: Problem[]): string | undefined {
	const name = domain.includes(',') ? undefined : bareDomains.read(domain);
	if (name === undefined) problems.push(wrong('domain', domain, 'it is not a domain name', 'write it like lab.example'));
	return name;
}

/** RFC 3442: whoever is told routes ignores the router option, so the default route has to be among them. */
function routes(subnet: Subnet, problems: Problem[]): readonly string[] {
	const written = (subnet.spec.dhcp?.routes ?? []).flatMap(({ destination, gateway }, index) => {
		const block = parseCidr(destination);
		const router = parseIp(gateway);
		const field = `routes[${index}]`;
		const text = `${destination} via ${gateway}`;
		if (!block || !router) {
			problems.push(wrong(field, text, 'it is not a block and an address', 'write them like 10.1.0.0/16 and 10.16.0.2'));
		} else if (block.family === 6 || router.family === 6) {
			const fix = 'remove it: guests send everything to the router, where a route of the VPC can send it on';
			problems.push(wrong(field, text, 'neither DHCPv6 nor an advertisement can name the router of an IPv6 route', fix));
		} else return [formatCidr(block), formatIp(router)];
		return [];
	});
	if (written.length === 0 || written.includes(everything)) return written;
	const gateway = subnetGateways(subnet)?.find(({ family }) => family === 4);
	return gateway && subnetBlocks(subnet) ? [...written, everything, formatIp(gateway)] : written;
}

const everything = '0.0.0.0/0';

function wrong(path: string, text: string, why: string, fix: string): Problem {
	return { reason: 'OptionMalformed', field: `spec.dhcp.${path}`, what: `${JSON.stringify(text)} is not told to guests`, why, fix };
}
