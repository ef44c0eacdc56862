import { type Cidr, type Ip, parseCidr, parseIp, parseMac } from '@tapestry/base';
import { macValue } from '../match/index.ts';
import type { PortAddress } from './logical-network.ts';

/** Reads `MAC [IP[/prefix]]...` of Logical_Switch_Port's addresses and port_security; `undefined` for words such as `unknown` and `router`. */
export function readPortAddress(text: string): PortAddress | undefined {
	const [first = '', ...rest] = text.trim().split(/\s+/);
	const mac = parseMac(first);
	if (mac === undefined) return undefined;
	const blocks = rest.flatMap((part) => blockOf(part) ?? []);
	const ips = rest.flatMap((part) => parseIp(part.split('/')[0] ?? '') ?? []);
	return { mac: macValue(mac), blocks, ips };
}

/** A block, or an address as the block that holds nothing else. */
export function blockOf(text: string): Cidr | undefined {
	const ip = parseIp(text);
	return ip ? { family: ip.family, network: ip.value, prefix: ip.family === 4 ? 32 : 128 } : parseCidr(text);
}

/** Reads `10.0.0.1:80`, `[fd00::1]:80` and plain addresses, as in Load_Balancer.vips. */
export function readEndpoint(text: string): { readonly ip: Ip; readonly port: number | undefined } | undefined {
	const [, v6, v4, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
	const ip = parseIp(v6 ?? v4 ?? text);
	return ip && { ip, port: port === undefined ? undefined : Number(port) };
}

export function sameIp(a: Ip, b: Ip): boolean {
	return a.family === b.family && a.value === b.value;
}
