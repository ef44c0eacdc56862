import type { IncomingMessage, ServerResponse } from 'node:http';
import { stringify } from 'yaml';
import { ApiError, badRequest, statusOf } from '../errors.ts';

/** One request and the way to answer it. */
export class Exchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	readonly url: URL;
	readonly method: string;
	readonly #warnings: string[] = [];

	constructor(request: IncomingMessage, response: ServerResponse) {
		this.request = request;
		this.response = response;
		this.url = parseUrl(request.url ?? '/');
		this.method = request.method ?? 'GET';
	}

	get path(): string {
		return this.url.pathname;
	}

	query(name: string): string | undefined {
		return this.url.searchParams.get(name) ?? undefined;
	}

	/** A query parameter that is `true` or `1`. */
	flag(name: string): boolean {
		const value = this.query(name);
		return value === 'true' || value === '1';
	}

	/** The answer will carry it as a Warning header, which kubectl prints. */
	warn(text: string): void {
		// Header values are ASCII.
		this.#warnings.push(`299 - ${JSON.stringify(text).replace(/[^ -~]/g, '?')}`);
	}

	json(status: number, body: object, contentType = 'application/json'): void {
		this.send(status, contentType, JSON.stringify(body));
	}

	yaml(status: number, body: object): void {
		this.send(status, 'application/yaml', stringify(body));
	}

	send(status: number, contentType: string, body: string | Buffer): void {
		const bytes = typeof body === 'string' ? Buffer.from(body) : body;
		if (this.#warnings.length > 0) this.response.setHeader('warning', this.#warnings);
		this.response.writeHead(status, {
			'content-type': contentType,
			'content-length': bytes.length,
			'cache-control': 'no-cache, private',
		});
		this.response.end(this.method === 'HEAD' ? undefined : bytes);
	}

	/** Answers with the error's Status, or breaks the connection when an answer has begun. */
	fail(error: unknown): void {
		if (this.response.headersSent) {
			this.response.destroy();
			return;
		}
		const status = statusOf(error);
		// What is left of a refused body would be read as the next request.
		if (error instanceof ApiError && error.reason === 'RequestEntityTooLarge') this.response.setHeader('connection', 'close');
		this.json(status.code, status);
	}
}

function parseUrl(text: string): URL {
	try {
		return new URL(text, 'https://server');
	} catch {
		throw badRequest(`cannot read the URL ${text}`);
	}
}
