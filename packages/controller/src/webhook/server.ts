import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Logger, messageOf } from '@tapestry/base';
import { createServerIdentity, followConnections, readWhole } from '@tapestry/host';
import type { AdmissionRequest, AdmissionResponse } from './review.ts';

export interface WebhookServerDeps {
	readonly log: Logger;
	readonly now: () => number;
}

export interface WebhookServerOptions {
	/** Where the API server reaches this program: an IP address, and a port (0 for any). */
	readonly host: string;
	readonly port: number;
	/** What answers, by path. */
	readonly reviews: Readonly<Record<string, (request: AdmissionRequest) => AdmissionResponse | Promise<AdmissionResponse>>>;
}

export interface WebhookServer extends AsyncDisposable {
	/** `https://HOST:PORT`. */
	readonly url: string;
	/** Base64 of PEM: whom the API server has to trust. */
	readonly caBundle: string;
}

/** kube-apiserver's limit of an object, twice, with room for what is around them. */
const longestBody = 8 << 20;

/** Answers AdmissionReviews over HTTPS, with a certificate that is made here and now and dies with the program. */
export async function startWebhookServer(deps: WebhookServerDeps, options: WebhookServerOptions): Promise<WebhookServer> {
	const { host } = options;
	const identity = createServerIdentity({ commonName: 'tapestry-webhook', names: [host], now: deps.now() });
	const server = createServer({ cert: identity.certificate, key: identity.key, minVersion: 'TLSv1.2' }, (request, response) => {
		answer(options, request, response).catch((error: unknown) => {
			deps.log.warn('a review could not be answered', { path: request.url, error });
			if (!response.headersSent) response.writeHead(400, { connection: 'close' });
			response.end(messageOf(error));
		});
	});
	server.on('tlsClientError', (_error, socket) => socket.destroy());
	const cut = followConnections(server);
	server.listen(options.port, host);
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	return {
		url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
		caBundle: Buffer.from(identity.authority).toString('base64'),
		async [Symbol.asyncDispose]() {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			cut();
			await closed;
		},
	};
}

async function answer({ reviews }: WebhookServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const review = reviews[new URL(request.url ?? '/', 'https://webhook').pathname];
	if (!review || request.method !== 'POST') {
		response.writeHead(review ? 405 : 404).end();
		return;
	}
	const sent = await readWhole(request, longestBody);
	if (!sent) throw new Error(`the body is longer than ${longestBody} bytes`);
	const { apiVersion, kind, request: question } = JSON.parse(sent.toString('utf8')) as Record<string, unknown>;
	if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview' || !isQuestion(question)) {
		throw new Error('the body is no AdmissionReview of admission.k8s.io/v1 with a request');
	}
	const body = JSON.stringify({ apiVersion, kind, response: { uid: question.uid, ...(await review(question)) } });
	response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
	response.end(body);
}

function isQuestion(value: unknown): value is AdmissionRequest {
	return typeof value === 'object' && value !== null && 'uid' in value && typeof value.uid === 'string' && 'resource' in value;
}
