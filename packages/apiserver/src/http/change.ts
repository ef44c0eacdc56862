import { ApiError } from '../errors.ts';
import { applyJsonPatch, applyMergePatch, applyStrategicPatch, mergeSchemaFor } from '../patch/index.ts';
import { mediaTypeOf, parseBody, readBody } from './body.ts';
import type { Exchange } from './exchange.ts';

export interface ChangedType {
	readonly group: string;
	readonly version: string;
	readonly kind: string;
}

/** What a PUT or PATCH makes of the object that is there. */
export async function readChange<T extends object>({ method, request }: Exchange, type: ChangedType): Promise<(served: T) => unknown> {
	const sent = await readBody(request);
	const mediaType = mediaTypeOf(request);
	if (method === 'PATCH') return patchOf(type, sent, mediaType);
	const body = parseBody(sent, mediaType);
	return () => body;
}

function patchOf<T extends object>({ group, version, kind }: ChangedType, sent: Buffer, mediaType: string): (served: T) => unknown {
	const patch = (): unknown => parseBody(sent, 'application/json');
	if (mediaType === 'application/json-patch+json') return (served) => applyJsonPatch(served, patch());
	if (mediaType === 'application/merge-patch+json') return (served) => applyMergePatch(served, patch());
	if (mediaType === 'application/apply-patch+yaml') {
		throw new ApiError(
			'UnsupportedMediaType',
			'server-side apply is not supported by this server; use client-side apply (kubectl apply --server-side=false)',
		);
	}
	const schema = mergeSchemaFor(group, version, kind);
	if (mediaType === 'application/strategic-merge-patch+json' && schema) return (served) => applyStrategicPatch(served, patch(), schema);
	const supported = [
		'application/json-patch+json',
		'application/merge-patch+json',
		...(schema ? ['application/strategic-merge-patch+json'] : []),
	];
	throw new ApiError(
		'UnsupportedMediaType',
		`the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
	);
}
