import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isCoded, type Logger } from '@tapestry/base';
import { ApiError } from '../errors.ts';
import type { Registry } from '../registry/registry.ts';
import { aggregatedDiscovery, apiGroup, coreVersions, groupList, resourceList } from './discovery.ts';
import { Exchange } from './exchange.ts';
import { createOpenApi } from './openapi.ts';
import { noSuchPath, parseResourcePath, splitApiPath } from './path.ts';
import { type ResourceDeps, serveResource } from './resources.ts';

export interface HandlerDeps extends ResourceDeps {
	readonly registry: Registry;
	readonly log: Logger;
	readonly token: string;
	/** `host:port` that clients are told. */
	readonly address: () => string;
}

/** The Kubernetes release whose behaviour is followed. */
const version = {
	major: '1',
	minor: '32',
	gitVersion: 'v1.32.0+embedded',
	gitCommit: '',
	gitTreeState: 'clean',
	buildDate: '1970-01-01T00:00:00Z',
	goVersion: '',
	compiler: '',
	platform: 'linux/amd64',
};

/** Answers every request; errors become Status objects. */
export function createHandler(deps: HandlerDeps): (request: IncomingMessage, response: ServerResponse) => void {
	const openApi = createOpenApi(deps.registry);
	const authorized = createTokenCheck(deps.token);
	const serve = async (exchange: Exchange): Promise<void> => {
		if (servePublic(exchange)) return;
		if (!authorized(exchange.request.headers.authorization)) throw new ApiError('Unauthorized', 'Unauthorized');
		if (exchange.path.startsWith('/openapi/')) return openApi(exchange);
		if (serveDiscovery(deps, exchange)) return;
		await serveResource(deps, exchange, parseResourcePath(exchange.path, deps.registry));
	};
	return (request, response) => {
		let exchange: Exchange | undefined;
		const run = async (): Promise<void> => {
			exchange = new Exchange(request, response);
			await serve(exchange);
		};
		run().catch((error: unknown) => {
			const expected = error instanceof ApiError || isCoded(error, 'PATCH_INVALID') || response.destroyed;
			if (!expected) deps.log.error('request failed', { error, method: request.method, url: request.url });
			if (exchange) exchange.fail(error);
			else response.writeHead(400).end();
		});
	};
}

/** Compared as digests: the time tells nothing about the token, its length included. */
function createTokenCheck(token: string): (header: string | undefined) => boolean {
	const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
	const expected = digest(`Bearer ${token}`);
	return (header) => header !== undefined && timingSafeEqual(digest(header), expected);
}

/** What probes and `kubectl version` ask before they have credentials. */
function servePublic(exchange: Exchange): boolean {
	const { path } = exchange;
	if (path === '/version') exchange.json(200, version);
	else if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) exchange.send(200, 'text/plain; charset=utf-8', 'ok');
	else return false;
	return true;
}

function serveDiscovery({ registry, address }: HandlerDeps, exchange: Exchange): boolean {
	const path = exchange.path.replace(/\/$/, '');
	if (path === '/api' || path === '/apis') {
		const core = path === '/api';
		const aggregated = aggregatedDiscovery(registry, exchange.request.headers.accept, core);
		if (aggregated) exchange.json(200, aggregated.body, aggregated.contentType);
		else exchange.json(200, core ? coreVersions(address()) : groupList(registry));
		return true;
	}
	const group = /^\/apis\/([^/]+)$/.exec(path)?.[1];
	const split = splitApiPath(path);
	if (group === undefined && (split === undefined || split.rest.length > 0)) return false;
	const found = group === undefined && split ? resourceList(registry, split.group, split.version) : apiGroup(registry, group ?? '');
	if (!found) throw noSuchPath();
	exchange.json(200, found);
	return true;
}
