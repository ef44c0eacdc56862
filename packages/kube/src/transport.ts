import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Clock, Signal } from '@tapestry/base';
import { unavailable } from './errors.ts';
import type { ClusterConfig } from './kubeconfig.ts';

export interface HttpRequest {
	readonly method: string;
	/** Path and query. */
	readonly path: string;
	readonly body?: string | undefined;
	readonly contentType?: string | undefined;
	readonly signal?: Signal | undefined;
	/** The longest time without a byte from the server, in milliseconds. */
	readonly silenceMs: number;
}

export interface HttpResponse {
	readonly status: number;
	/** The body; leaving the loop early closes the connection. */
	readonly chunks: AsyncIterable<Buffer>;
}

/** HTTP requests to one API server. Rejections are KUBE_UNAVAILABLE, or the signal's reason. */
export interface Transport {
	send(request: HttpRequest): Promise<HttpResponse>;
	/** Ends all connections. */
	close(): void;
}

/** First probe on a quiet connection, in milliseconds; the system then gives a dead peer up within seconds. */
const keepAliveDelay = 30_000;

export function createTransport(
	deps: { readonly clock: Clock },
	options: { readonly config: ClusterConfig; readonly socketPath?: string | undefined },
): Transport {
	const { config, socketPath } = options;
	const server = new URL(config.server);
	const plain = server.protocol === 'http:';
	const tls = {
		...(config.ca === undefined ? {} : { ca: config.ca }),
		...(config.clientCertificate === undefined ? {} : { cert: config.clientCertificate }),
		...(config.clientKey === undefined ? {} : { key: config.clientKey }),
		rejectUnauthorized: config.insecure !== true,
	};
	// A unix socket has no host name to check a certificate against; every API server's certificate carries `kubernetes`.
	const serverName = config.serverName ?? (socketPath === undefined ? undefined : 'kubernetes');
	const agent = plain ? new PlainAgent({ keepAlive: true }) : new TlsAgent({ keepAlive: true, ...tls });
	const target = {
		agent,
		...(socketPath === undefined
			? { host: server.hostname.replace(/^\[|\]$/g, ''), port: server.port || (plain ? 80 : 443) }
			: { socketPath }),
		...(serverName === undefined || plain ? {} : { servername: serverName }),
	};
	const basePath = server.pathname.replace(/\/$/, '');

	function send(request: HttpRequest): Promise<HttpResponse> {
		const { signal } = request;
		const label = `${request.method} ${request.path}`;
		const silence = (): Error => new Error(`no byte from the server for ${Math.round(request.silenceMs / 1000)} s`);
		return new Promise((resolve, reject) => {
			if (signal?.aborted) return reject(signal.reason);
			const outgoing = (plain ? plainRequest : tlsRequest)({
				...target,
				method: request.method,
				path: basePath + request.path,
				headers: headersOf(config, server.host, request),
			});
			let response: IncomingMessage | undefined;
			const onAbort = (): void => {
				(response ?? outgoing).destroy(signal?.reason as Error);
			};
			const cancel = deps.clock.after(request.silenceMs, () => outgoing.destroy(silence()));
			signal?.addEventListener('abort', onAbort, { once: true });
			outgoing.on('socket', (socket) => socket.setKeepAlive(true, keepAliveDelay));
			outgoing.on('close', () => {
				cancel();
				signal?.removeEventListener('abort', onAbort);
			});
			outgoing.on('error', (error) => reject(signal?.aborted ? signal.reason : unavailable(label, error)));
			outgoing.on('response', (incoming) => {
				cancel();
				response = incoming;
				resolve({ status: incoming.statusCode ?? 0, chunks: read(incoming, request, label, silence) });
			});
			outgoing.end(request.body);
		});
	}

	async function* read(response: IncomingMessage, request: HttpRequest, label: string, silence: () => Error): AsyncIterable<Buffer> {
		// Only waiting for the server counts: the timer is off while the caller works on a chunk.
		const arm = (): (() => void) => deps.clock.after(request.silenceMs, () => response.destroy(silence()));
		let cancel = arm();
		try {
			for await (const chunk of response) {
				cancel();
				yield chunk as Buffer;
				cancel = arm();
			}
		} catch (error) {
			throw request.signal?.aborted ? request.signal.reason : unavailable(label, error);
		} finally {
			cancel();
		}
	}

	return { send, close: () => agent.destroy() };
}

function headersOf(config: ClusterConfig, host: string, request: HttpRequest): Record<string, string | number> {
	return {
		accept: 'application/json',
		host,
		...(config.token === undefined ? {} : { authorization: `Bearer ${config.token}` }),
		...(request.body === undefined
			? {}
			: { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(request.body) }),
	};
}
