import type { IncomingMessage } from 'node:http';
import { messageOf } from '@tapestry/base';
import { readWhole } from '@tapestry/host';
import { parse } from 'yaml';
import { ApiError, badRequest } from '../errors.ts';
import { decodeProtobuf } from '../typed/protobuf.ts';

/** kube-apiserver's limit. */
const longestBody = 3 << 20;

/** Throws RequestEntityTooLarge; the rest of the body is then not read. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
	const body = await readWhole(request, longestBody);
	if (body) return body;
	throw new ApiError('RequestEntityTooLarge', `the body of the request is longer than ${longestBody} bytes`);
}

export function mediaTypeOf(request: IncomingMessage): string {
	return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Throws UnsupportedMediaType, BadRequest. */
export function parseBody(body: Buffer, mediaType: string): unknown {
	try {
		if (mediaType === 'application/json' || mediaType.endsWith('+json')) return JSON.parse(body.toString('utf8'));
		if (mediaType === 'application/yaml' || mediaType === 'text/yaml') return parse(body.toString('utf8'));
		if (mediaType === 'application/vnd.kubernetes.protobuf') return decodeProtobuf(body);
	} catch (error) {
		if (error instanceof ApiError) throw error;
		throw badRequest(`the body of the request cannot be read: ${messageOf(error)}`);
	}
	throw new ApiError('UnsupportedMediaType', `the body of the request is ${mediaType}; accepted are application/json and application/yaml`);
}
