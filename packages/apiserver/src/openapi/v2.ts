import { definitionName, groupVersionKind, gvkExtension, info, objectPath, writeParameters } from './names.ts';
import type { OpenApiKind } from './types.ts';
import type { V2Document, V2Operation } from './v2-document.ts';
import { encodeDocument } from './v2-protobuf.ts';
import { v2Definition } from './v2-schema.ts';

export interface OpenApiV2 {
	/** gnostic's openapi.v2.Document, for `application/com.github.proto-openapi.spec.v2@v1.0+protobuf`. */
	readonly protobuf: Buffer;
	readonly json: V2Document;
}

/**
 * The document at `/openapi/v2`: definitions of custom resources, and the PATCH of every kind. Built-in kinds have no definition:
 * without one kubectl leaves validation to the server and merges by its own Go types; with a partial one it would refuse fields and
 * merge lists wrongly.
 */
export function openApiV2(kinds: readonly OpenApiKind[]): OpenApiV2 {
	const json: V2Document = {
		swagger: '2.0',
		info,
		paths: Object.fromEntries(kinds.map((kind) => [objectPath(kind), { patch: patchOperation(kind) }])),
		definitions: Object.fromEntries(
			kinds.flatMap((kind) => (kind.schema ? [[definitionName(kind), v2Definition(kind, kind.schema)] as const] : [])),
		),
	};
	return { protobuf: encodeDocument(json), json };
}

function patchOperation(kind: OpenApiKind): V2Operation {
	return {
		parameters: writeParameters.map((name) => ({ name, in: 'query', type: 'string' })),
		responses: { 200: { description: 'OK' } },
		[gvkExtension]: groupVersionKind(kind),
	};
}
