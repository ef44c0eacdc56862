import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { ApiError, badRequest } from '../errors.ts';

/** kube-apiserver's limit. */
const longestBody = 3 << 20;

/** Throws RequestEntityTooLarge; the rest of the body is then not read. */
export async function readBody(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request) {
		size += (chunk as Buffer).length;
		if (size > longestBody) throw new ApiError('RequestEntityTooLarge', `the body of the request is longer than ${longestBody} bytes`);
		chunks.push(chunk as Buffer);
	}
	return Buffer.concat(chunks).toString('utf8');
}

export function mediaTypeOf(request: IncomingMessage): string {
	return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Throws UnsupportedMediaType, BadRequest. */
export function parseBody(text: string, mediaType: string): unknown {
	try {
		if (mediaType === 'application/json' || mediaType.endsWith('+json')) return JSON.parse(text);
		if (mediaType === 'application/yaml' || mediaType === 'text/yaml') return parse(text);
	} catch (error) {
		throw badRequest(`the body of the request cannot be read: ${(error as Error).message}`);
	}
	throw new ApiError('UnsupportedMediaType', `the body of the request is ${mediaType}; accepted are application/json and application/yaml`);
}
