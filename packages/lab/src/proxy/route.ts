import { CodedError } from '@tapestry/base';

/** Where a route listens: a unix socket, or an address inside a network namespace. */
export type Endpoint =
	| { readonly kind: 'unix'; readonly path: string }
	| { readonly kind: 'netns'; readonly netns: string; readonly address: string; readonly port: number };

export interface Route {
	readonly listen: Endpoint;
	/** A unix socket. */
	readonly target: string;
}

/** `unix:/a=/b` or `netns:/run/netns/x@172.30.0.254:6443=/b`; the port follows the last colon, so IPv6 needs no brackets. @throws PROXY_ROUTE */
export function parseRoute(text: string): Route {
	const unix = /^unix:([^=]+)=(.+)$/.exec(text);
	if (unix?.[1] && unix[2]) return { listen: { kind: 'unix', path: unix[1] }, target: unix[2] };
	const [, netns, address, port, target] = /^netns:([^@=]+)@([^=]+):(\d+)=(.+)$/.exec(text) ?? [];
	if (netns && address && target) return { listen: { kind: 'netns', netns, address, port: Number(port) }, target };
	throw new CodedError('PROXY_ROUTE', {
		what: `"${text}" is not a route`,
		fix: 'write unix:PATH=TARGET or netns:NETNS@ADDRESS:PORT=TARGET, TARGET being the path of a unix socket',
	});
}

export function formatRoute({ listen, target }: Route): string {
	return listen.kind === 'unix' ? `unix:${listen.path}=${target}` : `netns:${listen.netns}@${listen.address}:${listen.port}=${target}`;
}
