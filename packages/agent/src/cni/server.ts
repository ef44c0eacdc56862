import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { Logger } from '@tapestry/base';
import { readWhole } from '@tapestry/host';
import { decodeCall, type PluginAnswer, type PluginCall } from './call.ts';

export interface Page {
	readonly type: string;
	readonly body: string;
}

/** A configuration carries a prevResult and, for GC, all attachments of the node; beyond this it is not one. */
const maxBody = 16 * 1024 * 1024;

export interface CniServerDeps {
	readonly log: Logger;
	readonly handle: (call: PluginCall, signal: AbortSignal) => Promise<PluginAnswer>;
	/** Text for GET requests by path (`/metrics`, `/ports`, `/modes`, `/rules`). */
	readonly pages: Readonly<Record<string, () => Page | Promise<Page>>>;
}

/** Serves plugins on a unix socket (the protocol is in call.ts) and pages for people and monitoring. */
export async function serveCni(deps: CniServerDeps, options: { readonly path: string }): Promise<AsyncDisposable> {
	const { path } = options;
	mkdirSync(dirname(path), { recursive: true });
	// A killed predecessor leaves its socket file; two agents of one node are excluded by whoever starts them.
	rmSync(path, { force: true });
	const server = createServer((request, response) => {
		serve(deps, request, response).catch((error: unknown) => {
			deps.log.error('request failed', { error });
			response.destroy();
		});
	});
	server.listen(path);
	await once(server, 'listening');
	// Who may call decides over every pod's network.
	chmodSync(path, 0o600);
	return {
		async [Symbol.asyncDispose]() {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			server.closeAllConnections();
			await closed;
		},
	};
}

async function serve(deps: CniServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
	if (request.method === 'GET') {
		const page = await deps.pages[request.url ?? '']?.();
		if (page) response.writeHead(200, { 'content-type': page.type }).end(page.body);
		else response.writeHead(404).end();
		return;
	}
	if (request.method !== 'POST' || request.url !== '/cni') {
		response.writeHead(404).end();
		return;
	}
	const abort = new AbortController();
	response.on('close', () => {
		if (!response.writableFinished) abort.abort(new Error('the plugin has gone'));
	});
	const body = await readWhole(request, maxBody);
	if (!body) throw new Error(`the request is larger than ${maxBody} bytes`);
	const call = decodeCall(body);
	const answer = call ? await deps.handle(call, abort.signal) : undefined;
	if (!answer) response.writeHead(400).end();
	else {
		const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer.body) };
		response.writeHead(answer.ok ? 200 : 500, headers).end(answer.body);
	}
}
