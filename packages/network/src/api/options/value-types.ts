import { type Family, formatCidr, formatIp, isUnicastMac, parseCidr, parseIp, parseMac } from '@tapestry/base';

/** How the value of an option is written. */
export interface ValueType {
	/** For messages: `it is not <form>`. */
	readonly form: string;
	/** The value as OVN reads it; undefined when it is malformed. */
	read(text: string): string | undefined;
}

export const oneIp = (family: Family): ValueType => ({ form: `an IPv${family} address`, read: (text) => ipOf(text, family) });

/** One address, or several in braces. */
export const someIps = (family: Family): ValueType => ({
	form: `an IPv${family} address or several in braces, such as ${family === 4 ? '{10.0.0.1,10.0.0.2}' : '{fd00::1,fd00::2}'}`,
	read(text) {
		const list = listOf(text);
		return list ? inBraces(list.map((one) => ipOf(one, family))) : ipOf(text, family);
	},
});

export const integer = (minimum: number, maximum: number): ValueType => ({
	form: `a number from ${minimum} to ${maximum}`,
	read: (text) => (/^\d{1,10}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum ? String(Number(text)) : undefined),
});

/** ovn-nb(5) DHCP_Options: booleans of DHCPv4 are numbers. */
export const bit: ValueType = { form: '0 or 1', read: (text) => ({ '0': '0', '1': '1', false: '0', true: '1' })[text] };

export const word = (...words: readonly string[]): ValueType => ({
	form: words.join(' or '),
	read: (text) => words.find((one) => one === text),
});

export const mac: ValueType = {
	form: 'the MAC address of a single interface',
	read(text) {
		const address = parseMac(text);
		return address !== undefined && isUnicastMac(address) ? address : undefined;
	},
};

/** With or without quotes; OVN wants them. */
export const text: ValueType = { form: 'a text of 1 to 255 printable characters', read: (written) => quoted(unquoted(written)) };

/** RFC 2132 section 9.4: the name of a host or its address. */
export const host: ValueType = {
	form: 'an IPv4 address or a name',
	read: (written) => ipOf(written, 4) ?? quoted(unquoted(written)),
};

export const domains: ValueType = {
	form: 'one domain name or several in quotes, such as "a.example,b.example"',
	read: (written) => quoted(domainList(unquoted(written))),
};

/** As in `domains`, but OVN wants no quotes. */
export const bareDomains: ValueType = { ...domains, read: (written) => domainList(unquoted(written)) };

/** RFC 3442: pairs of a destination and a router. */
export const routes: ValueType = {
	form: 'pairs of a block and a router in braces, such as {10.1.0.0/16,10.0.0.2, 0.0.0.0/0,10.0.0.1}',
	read(written) {
		const list = listOf(written) ?? [];
		if (list.length === 0 || list.length % 2 === 1) return undefined;
		return inBraces(list.map((one, index) => (index % 2 === 0 ? blockOf(one, 4) : ipOf(one, 4))));
	},
};

/** RFC 4191: a preference and a prefix for each route. */
export const routePreferences: ValueType = {
	form: 'routes such as HIGH-fd01::/48 with commas between them, in quotes',
	read(written) {
		const routes = (unquoted(written) ?? '').split(',').map((one) => {
			const [, preference, block = ''] = /^\s*(HIGH|MEDIUM|LOW)-(\S+)\s*$/.exec(one) ?? [];
			const prefix = blockOf(block, 6);
			return preference && prefix && `${preference}-${prefix}`;
		});
		return routes.every((route) => route) ? routes.join(',') : undefined;
	},
};

/** What OVN's parser of actions takes for several values. */
export function inBraces(values: readonly (string | undefined)[]): string | undefined {
	return values.length > 0 && values.every((value) => value !== undefined) ? `{${values.join(', ')}}` : undefined;
}

function listOf(written: string): readonly string[] | undefined {
	return /^\{.*\}$/.test(written)
		? written
				.slice(1, -1)
				.split(',')
				.map((one) => one.trim())
		: undefined;
}

function ipOf(written: string, family: Family): string | undefined {
	const ip = parseIp(written);
	return ip?.family === family ? formatIp(ip) : undefined;
}

function blockOf(written: string, family: Family): string | undefined {
	const cidr = parseCidr(written);
	return cidr?.family === family ? formatCidr(cidr) : undefined;
}

function domainList(written: string | undefined): string | undefined {
	const names = (written ?? '').split(',').map((name) => name.trim());
	// RFC 1035 section 2.3.4 limits names and their labels.
	const isName = (name: string) => name.length <= 253 && /^[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(name);
	return names.every(isName) ? names.join(',') : undefined;
}

function unquoted(written: string): string | undefined {
	if (!written.startsWith('"')) return written.includes('"') ? undefined : written;
	return /^"(?:[^"\\]|\\["\\])*"$/.test(written) ? written.slice(1, -1).replace(/\\(.)/g, '$1') : undefined;
}

/** The length of an option is one octet (RFC 2132 section 2). */
function quoted(plain: string | undefined): string | undefined {
	return plain !== undefined && /^[\x20-\x7e]{1,255}$/.test(plain) ? `"${plain.replace(/["\\]/g, '\\$&')}"` : undefined;
}
