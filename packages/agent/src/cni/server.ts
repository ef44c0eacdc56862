import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { Logger } from '@tapestry/base';
import type { CniAnswer } from './commands.ts';
import type { PluginCall } from './request.ts';

/** A configuration carries a prevResult and, for GC, all attachments of the node; beyond this it is not one. */
const maxBody = 16 * 1024 * 1024;

export interface CniServerDeps {
	readonly log: Logger;
	readonly handle: (call: PluginCall, signal: AbortSignal) => Promise<CniAnswer>;
	/** Text for GET requests by path (`/metrics`, `/ports`). */
	readonly pages: Readonly<Record<string, () => { readonly type: string; readonly body: string }>>;
}

/**
 * Serves plugins on a unix socket. One HTTP request is one call: `POST /cni` with the plugin's environment (`NAME=value`, NUL after each, an empty
 * entry at the end) and then its standard input as the body. The answer's body is the standard output; status 200 is exit status 0, 500 is 1.
 */
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
	await listen(server, path);
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
		const page = deps.pages[request.url ?? '']?.();
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
	const call = decodeCall(await readBody(request));
	const answer = call ? await deps.handle(call, abort.signal) : undefined;
	if (!answer) response.writeHead(400).end();
	else response.writeHead(answer.ok ? 200 : 500, { 'content-type': 'application/json' }).end(answer.body);
}

/** Undefined when the environment is not closed by an empty entry: the caller died while it sent. */
export function decodeCall(body: Buffer): PluginCall | undefined {
	const env: Record<string, string> = {};
	let offset = 0;
	for (;;) {
		const end = body.indexOf(0, offset);
		if (end < 0) return undefined;
		const entry = body.toString('utf8', offset, end);
		offset = end + 1;
		if (entry === '') return { env, stdin: body.toString('utf8', offset) };
		const at = entry.indexOf('=');
		if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1);
	}
}

export function encodeCall(call: PluginCall): Buffer {
	const env = Object.entries(call.env).map(([name, value]) => `${name}=${value}\0`);
	return Buffer.from(`${env.join('')}\0${call.stdin}`);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		length += chunk.length;
		if (length > maxBody) throw new Error(`the request is larger than ${maxBody} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

function listen(server: Server, path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(path, resolve);
	});
}
