import { isIP } from 'node:net';
import { CodedError } from '@tapestry/base';

/** Where a server listens, in the form that node:net's `connect` takes. */
export type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number };

/** Parses ovsdb(7)'s active connection methods `unix:PATH`, `tcp:IPV4:PORT` and `tcp:[IPV6]:PORT`. Throws OVSDB_ENDPOINT. */
export function parseEndpoint(text: string): Endpoint {
	const path = /^unix:(?<path>.+)$/.exec(text)?.groups?.path;
	if (path !== undefined) return { path };
	const { v4, v6, port } = /^tcp:(?:(?<v4>[\d.]+)|\[(?<v6>[\da-fA-F:.]+)\]):(?<port>\d+)$/.exec(text)?.groups ?? {};
	const host = v4 ?? v6 ?? '';
	if (isIP(host) === 0 || Number(port) < 1 || Number(port) > 65535) {
		throw new CodedError('OVSDB_ENDPOINT', {
			what: `"${text}" is not a database endpoint`,
			fix: 'give unix:/PATH, tcp:IPV4:PORT or tcp:[IPV6]:PORT',
		});
	}
	return { host, port: Number(port) };
}
