import { apiVersionOf } from '@tapestry/kube';
import { badRequest } from '../errors.ts';
import { type ApiObject, isRecord, type MutableJson } from '../objects.ts';
import type { Endpoint } from '../registry/kind.ts';
import { conform } from '../typed/json.ts';
import { messageNameOf } from '../typed/messages.ts';
import type { WriteOptions } from './context.ts';

/**
 * A request's body as an object of the endpoint. Built-in kinds and all metadata are of the types that Kubernetes gives them, custom
 * resources pruned and defaulted by their schema. Throws BadRequest.
 */
export function decodeObject(endpoint: Endpoint, body: unknown, options: WriteOptions = {}): ApiObject {
	if (!isRecord(body)) throw badRequest('the body of the request is not an object');
	const { kind, custom } = endpoint.kind;
	const apiVersion = apiVersionOf(endpoint);
	// The typed clients of the built-in kinds leave these out.
	const { apiVersion: bodyVersion, kind: bodyKind, metadata, ...content } = custom ? body : { apiVersion, kind, ...body };
	if (!bodyKind) throw badRequest("Object 'Kind' is missing");
	if (bodyKind !== kind || bodyVersion !== apiVersion) {
		throw badRequest(`${text(bodyKind)} in version ${text(bodyVersion)} cannot be handled as a ${kind} of "${apiVersion}"`);
	}
	const unknown: string[] = [];
	const decoded = { apiVersion, kind, metadata: decodeMetadata(metadata, unknown), ...decodeContent(endpoint, content, unknown) };
	reportUnknown(decoded, unknown, options);
	return decoded as unknown as ApiObject;
}

function text(value: unknown): string {
	return typeof value === 'string' ? value : JSON.stringify(value);
}

function decodeMetadata(value: unknown, unknown: string[]): MutableJson {
	const metadata = conform('meta/v1.ObjectMeta', value ?? {}, 'metadata', unknown);
	// Server-side apply's bookkeeping, which this server has no use for, and a field that is gone since Kubernetes 1.24.
	delete metadata.managedFields;
	delete metadata.selfLink;
	return metadata;
}

function decodeContent(endpoint: Endpoint, content: MutableJson, unknown: string[]): object {
	const schema = endpoint.schema?.compiled;
	if (schema) {
		unknown.push(...schema.unknownFields(content));
		return schema.applyDefaults(schema.prune(content));
	}
	const message = messageNameOf(apiVersionOf(endpoint), endpoint.kind.kind);
	return message === undefined ? content : conform(message, content, '', unknown);
}

function reportUnknown(
	{ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
	fields: readonly string[],
	options: WriteOptions,
): void {
	if (fields.length === 0 || options.fieldValidation === 'Ignore') return;
	const texts = fields.map((field) => `unknown field "${field}"`);
	if (options.fieldValidation === 'Strict') {
		throw badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${kind}: strict decoding error: ${texts.join(', ')}`);
	}
	for (const warning of texts) options.warn?.(warning);
}
