import { type Clock, isCoded } from '@tapestry/base';
import { type StatusObject, statusError, unavailable } from './errors.ts';
import { type ClusterConfig, loadKubeconfig } from './kubeconfig.ts';
import { readLines } from './lines.ts';
import { apiVersionOf, resourcePath } from './paths.ts';
import { createTransport, type HttpRequest, type HttpResponse, type Transport } from './transport.ts';
import type {
	KubeClient,
	KubeObject,
	ListOptions,
	ObjectList,
	ObjectName,
	PatchType,
	RequestOptions,
	Resource,
	WatchEvent,
} from './types.ts';

export interface KubeClientDeps {
	readonly clock: Clock;
	/** A number in [0, 1). */
	readonly random: () => number;
}

export interface KubeClientOptions {
	/** A kubeconfig file, or what it says. */
	readonly kubeconfig: string | ClusterConfig;
	/** Connects through this unix socket instead of the server's address; TLS is verified for the name `kubernetes`. */
	readonly socketPath?: string | undefined;
	/** Longest silence of the server during a request, in milliseconds. @default 30000 */
	readonly silenceMs?: number;
	/** Longest silence of a watch. API servers send a bookmark about once a minute. @default 90000 */
	readonly watchSilenceMs?: number;
}

/** A KubeClient that owns its connections. */
export interface KubeConnection extends KubeClient, Disposable {
	/** The namespace of the kubeconfig's context. */
	readonly namespace: string;
	/** Ends all connections, and with them the requests in flight. */
	close(): void;
}

/** Objects of one list answer; a longer collection comes in pages. */
const pageSize = 500;

/** Throws KUBE_CONFIG when the kubeconfig is not usable. Opens no connection before the first request. */
export function createKubeClient(deps: KubeClientDeps, options: KubeClientOptions): KubeConnection {
	const config = typeof options.kubeconfig === 'string' ? loadKubeconfig(options.kubeconfig) : options.kubeconfig;
	const transport = createTransport(deps, { config, socketPath: options.socketPath });
	return new HttpKubeClient(deps, transport, config.namespace, options);
}

class HttpKubeClient implements KubeConnection {
	readonly namespace: string;
	readonly #random: () => number;
	readonly #transport: Transport;
	readonly #silenceMs: number;
	readonly #watchSilenceMs: number;

	constructor(deps: KubeClientDeps, transport: Transport, namespace: string, options: KubeClientOptions) {
		this.namespace = namespace;
		this.#random = deps.random;
		this.#transport = transport;
		this.#silenceMs = options.silenceMs ?? 30_000;
		this.#watchSilenceMs = options.watchSilenceMs ?? 90_000;
	}

	get<T extends KubeObject>(resource: Resource, name: ObjectName, options: RequestOptions = {}): Promise<T> {
		return this.#json('GET', resourcePath(resource, { ...name, subresource: options.subresource }), options);
	}

	async list<T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<ObjectList<T>> {
		const items: T[] = [];
		let page: ListPage<T> | undefined;
		do {
			const token = page?.metadata.continue;
			const query = queryOf(options, { limit: String(pageSize), ...(token ? { continue: token } : {}) });
			page = await this.#json<ListPage<T>>('GET', `${resourcePath(resource, options)}?${query}`, options);
			// A loop, not a spread: a server without paging answers with everything at once.
			for (const item of page.items ?? []) items.push(item);
		} while (page.metadata.continue);
		return { resourceVersion: page.metadata.resourceVersion ?? '', items };
	}

	create<T extends KubeObject>(resource: Resource, object: T, options: RequestOptions = {}): Promise<T> {
		const { name, namespace = this.namespace } = object.metadata;
		const path =
			options.subresource === undefined
				? resourcePath(resource, { namespace })
				: resourcePath(resource, { name, namespace, subresource: options.subresource });
		return this.#json('POST', path, { ...options, body: typed(resource, object) });
	}

	replace<T extends KubeObject>(resource: Resource, object: T, options: RequestOptions = {}): Promise<T> {
		const { name, namespace } = object.metadata;
		const path = resourcePath(resource, { name, namespace, subresource: options.subresource });
		return this.#json('PUT', path, { ...options, body: typed(resource, object) });
	}

	patch<T extends KubeObject>(
		resource: Resource,
		name: ObjectName,
		type: PatchType,
		body: unknown,
		options: RequestOptions = {},
	): Promise<T> {
		const path = resourcePath(resource, { ...name, subresource: options.subresource });
		return this.#json('PATCH', path, { ...options, body, contentType: type });
	}

	async remove(resource: Resource, name: ObjectName, options: Parameters<KubeClient['remove']>[2] = {}): Promise<void> {
		const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy, subresource } = options;
		const body = {
			apiVersion: 'v1',
			kind: 'DeleteOptions',
			gracePeriodSeconds,
			propagationPolicy,
			...(uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } }),
		};
		await this.#json('DELETE', resourcePath(resource, { ...name, subresource }), { ...options, body });
	}

	async *watch<T extends KubeObject>(
		resource: Resource,
		options: ListOptions & { readonly resourceVersion: string },
	): AsyncIterable<WatchEvent<T>> {
		// Random, so that the watches of many clients do not all end at once. client-go uses the same range.
		const timeoutSeconds = 300 + Math.floor(this.#random() * 300);
		const query = queryOf(options, {
			watch: '1',
			allowWatchBookmarks: 'true',
			resourceVersion: options.resourceVersion,
			timeoutSeconds: String(timeoutSeconds),
		});
		const path = `${resourcePath(resource, options)}?${query}`;
		const request = `watch of ${resource.plural}`;
		const response = await this.#transport.send({ method: 'GET', path, signal: options.signal, silenceMs: this.#watchSilenceMs });
		if (response.status !== 200) throw statusError(request, response.status, parseStatus(await readAll(response)));
		for await (const line of readLines(response.chunks)) yield parseEvent<T>(request, line);
	}

	close(): void {
		this.#transport.close();
	}

	[Symbol.dispose](): void {
		this.close();
	}

	async #json<R>(
		method: string,
		path: string,
		options: { readonly body?: unknown; readonly contentType?: string; readonly signal?: HttpRequest['signal'] },
	): Promise<R> {
		const request: HttpRequest = {
			method,
			path,
			body: options.body === undefined ? undefined : JSON.stringify(options.body),
			contentType: options.contentType,
			signal: options.signal,
			silenceMs: this.#silenceMs,
		};
		const response = await this.#sendAgainIfIdle(request);
		const text = await readAll(response);
		if (response.status >= 300) throw statusError(`${method} ${path}`, response.status, parseStatus(text));
		try {
			return JSON.parse(text) as R;
		} catch (error) {
			throw unavailable(`${method} ${path}`, error);
		}
	}

	/** A kept-alive connection may have been closed by the server in the very moment of its reuse; a read is safe to send once more. */
	async #sendAgainIfIdle(request: HttpRequest): Promise<HttpResponse> {
		try {
			return await this.#transport.send(request);
		} catch (error) {
			const reset = isCoded(error, 'KUBE_UNAVAILABLE') && (error.cause as { code?: unknown } | undefined)?.code === 'ECONNRESET';
			if (request.method !== 'GET' || !reset) throw error;
			return this.#transport.send(request);
		}
	}
}

interface ListPage<T> {
	readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
	readonly items?: readonly T[] | null;
}

function queryOf(options: ListOptions, more: Readonly<Record<string, string>>): URLSearchParams {
	return new URLSearchParams({
		...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
		...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
		...more,
	});
}

/** Items of a list carry neither apiVersion nor kind, but the server wants both in a body. */
function typed<T extends KubeObject>(resource: Resource, object: T): KubeObject {
	return { ...object, apiVersion: object.apiVersion ?? apiVersionOf(resource), kind: object.kind ?? resource.kind };
}

async function readAll(response: HttpResponse): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of response.chunks) chunks.push(chunk);
	return Buffer.concat(chunks).toString('utf8');
}

function parseStatus(text: string): StatusObject {
	try {
		const status: unknown = JSON.parse(text);
		if (typeof status === 'object' && status !== null) return status;
	} catch {
		// Not every answer comes from the API server itself: a proxy answers in plain text or HTML.
	}
	return text === '' ? {} : { message: text.slice(0, 500) };
}

function parseEvent<T extends KubeObject>(request: string, line: string): WatchEvent<T> {
	let event: { readonly type?: string; readonly object?: T & StatusObject };
	try {
		event = JSON.parse(line) as typeof event;
	} catch (error) {
		throw unavailable(request, error);
	}
	const { type, object } = event;
	if (object === undefined) throw unavailable(request, `a watch event without an object: ${line.slice(0, 200)}`);
	switch (type) {
		case 'ADDED':
		case 'MODIFIED':
		case 'DELETED':
			return { type, object };
		case 'BOOKMARK':
			return { type, resourceVersion: object.metadata.resourceVersion ?? '' };
		default:
			throw statusError(request, object.code ?? 500, object);
	}
}
