import type { Problem } from '../problem.ts';
import {
	bareDomains,
	bit,
	domains,
	host,
	integer,
	mac,
	oneIp,
	routePreferences,
	routes,
	someIps,
	text,
	type ValueType,
	word,
} from './value-types.ts';

/** Options by OVN's names, with values as OVN reads them. */
export type Options = Readonly<Record<string, string>>;

/** What a text of `name=value` with `,` between them says. What cannot be read is left out and told about. */
export interface ReadOptions {
	readonly options: Options;
	readonly problems: readonly Problem[];
}

interface OptionSet {
	readonly field: string;
	/** For messages. */
	readonly title: string;
	readonly types: Readonly<Record<string, ValueType>>;
}

const uint8 = integer(0, 255);
const uint32 = integer(0, 0xffff_ffff);

// Names and types: ovn-nb(5) DHCP_Options, and the tables DHCP_Options and DHCPv6_Options that ovn-northd 23.03 fills in the Southbound database.
const dhcpV4: OptionSet = {
	field: 'spec.dhcpV4Options',
	title: 'DHCPv4 option',
	types: {
		server_id: oneIp(4),
		server_mac: mac,
		lease_time: uint32,
		router: someIps(4),
		netmask: oneIp(4),
		dns_server: someIps(4),
		log_server: someIps(4),
		lpr_server: someIps(4),
		swap_server: someIps(4),
		policy_filter: someIps(4),
		router_solicitation: someIps(4),
		nis_server: someIps(4),
		ntp_server: someIps(4),
		netbios_name_server: someIps(4),
		classless_static_route: routes,
		ms_classless_static_route: routes,
		next_server: oneIp(4),
		ip_forward_enable: bit,
		router_discovery: bit,
		ethernet_encap: bit,
		default_ttl: uint8,
		tcp_ttl: uint8,
		mtu: integer(68, 65_535),
		T1: uint32,
		T2: uint32,
		arp_cache_timeout: uint32,
		tcp_keepalive_interval: uint32,
		netbios_node_type: uint8,
		wpad: text,
		bootfile_name: text,
		bootfile_name_alt: text,
		path_prefix: text,
		tftp_server_address: someIps(4),
		hostname: text,
		domain_name: text,
		broadcast_address: oneIp(4),
		tftp_server: host,
		domain_search_list: domains,
	},
};

const dhcpV6: OptionSet = {
	field: 'spec.dhcpV6Options',
	title: 'DHCPv6 option',
	types: { server_id: mac, dns_server: someIps(6), domain_search: domains, dhcpv6_stateless: word('true', 'false') },
};

// ovn-nb(5) Logical_Router_Port.ipv6_ra_configs; the ranges of the intervals are those of RFC 4861 section 6.2.1.
const ra: OptionSet = {
	field: 'spec.ipv6RAConfigs',
	title: 'router advertisement option',
	types: {
		address_mode: word('slaac', 'dhcpv6_stateful', 'dhcpv6_stateless'),
		router_preference: word('HIGH', 'MEDIUM', 'LOW'),
		route_info: routePreferences,
		mtu: integer(1280, 65_535),
		send_periodic: word('true', 'false'),
		max_interval: integer(4, 1800),
		min_interval: integer(3, 1350),
		rdnss: oneIp(6),
		dnssl: bareDomains,
	},
};

export const readDhcpV4Options = (written: string | undefined): ReadOptions => readOptions(written, dhcpV4);
export const readDhcpV6Options = (written: string | undefined): ReadOptions => readOptions(written, dhcpV6);
export const readRaOptions = (written: string | undefined): ReadOptions => readOptions(written, ra);

function readOptions(written: string | undefined, set: OptionSet): ReadOptions {
	const options: Record<string, string> = {};
	const problems: Problem[] = [];
	for (const part of split(written ?? '')) {
		const [name, value] = nameAndValue(part);
		const type = Object.hasOwn(set.types, name) ? set.types[name] : undefined;
		const read = type?.read(value);
		if (read !== undefined && !Object.hasOwn(options, name)) options[name] = read;
		else problems.push(problemOf(set, part, name, type, read));
	}
	return { options, problems };
}

/** Cuts at the commas outside of braces and quotes. */
function split(written: string): readonly string[] {
	const parts: string[] = [];
	let start = 0;
	let depth = 0;
	let isQuoted = false;
	for (let at = 0; at < written.length; at++) {
		const character = written[at];
		if (character === '\\' && isQuoted) at++;
		else if (character === '"') isQuoted = !isQuoted;
		else if (isQuoted) continue;
		else if (character === '{') depth++;
		else if (character === '}') depth--;
		else if (character === ',' && depth <= 0) {
			parts.push(written.slice(start, at));
			start = at + 1;
		}
	}
	return [...parts, written.slice(start)].map((part) => part.trim()).filter((part) => part !== '');
}

function nameAndValue(part: string): readonly [name: string, value: string] {
	const at = part.indexOf('=');
	return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

// Unlike other trouble of a subnet this does not stop it, but OVN drops the flow of which an action cannot be parsed: nobody would be answered.
function problemOf(set: OptionSet, part: string, name: string, type: ValueType | undefined, read: string | undefined): Problem {
	const common = { field: set.field, what: `${set.title} ${JSON.stringify(part)} is left out` };
	if (!part.includes('=')) {
		const why = 'it is not of the form name=value';
		return {
			...common,
			reason: 'OptionMalformed',
			why,
			fix: 'write several values of one option in braces: dns_server={10.0.0.1,10.0.0.2}',
		};
	}
	if (!type) {
		const why = `OVN has no ${set.title} ${JSON.stringify(name)}, and would answer nobody if it were told this one`;
		return { ...common, reason: 'OptionUnknown', why, fix: `remove it, or use one of ${Object.keys(set.types).join(', ')}` };
	}
	if (read !== undefined) return { ...common, reason: 'OptionTwice', why: `${name} is there already`, fix: 'keep one of the two' };
	return { ...common, reason: 'OptionMalformed', why: `its value is not ${type.form}`, fix: `correct the value in ${set.field}` };
}
