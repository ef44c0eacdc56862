import type { OpenApiKind } from './types.ts';

export interface OpenApiV2 {
	/** gnostic's openapi.v2.Document, for `application/com.github.proto-openapi.spec.v2@v1.0+protobuf`. */
	readonly protobuf: Buffer;
	readonly json: object;
}

/** The document at `/openapi/v2`. */
export function openApiV2(_kinds: readonly OpenApiKind[]): OpenApiV2 {
	return { protobuf: Buffer.from('0a03322e30', 'hex'), json: { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1' }, paths: {} } };
}
