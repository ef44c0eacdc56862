import { type ApiError, badRequest } from '../errors.ts';
import { type ApiObject, isRecord, type MutableJson } from '../objects.ts';
import { apiVersionOf, type Endpoint } from '../registry/kind.ts';
import type { WriteOptions } from './context.ts';

/** A request's body as an object of the endpoint: right group, version and kind, and metadata of the right types. Throws BadRequest. */
export function decodeObject(endpoint: Endpoint, body: unknown): ApiObject {
	if (!isRecord(body)) throw badRequest('the body of the request is not an object');
	const { kind } = endpoint.kind;
	const apiVersion = apiVersionOf(endpoint);
	// The typed clients of the built-in kinds leave these out.
	const typed = endpoint.kind.custom ? body : { apiVersion, kind, ...body };
	if (!typed.kind) throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(body).slice(0, 200)}'`);
	if (typed.kind !== kind || typed.apiVersion !== apiVersion) {
		throw badRequest(`${typed.kind} in version "${typed.apiVersion}" cannot be handled as a ${kind} of "${apiVersion}"`);
	}
	return { ...typed, apiVersion, kind, metadata: decodeMetadata(typed.metadata) } as unknown as ApiObject;
}

const strings = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'];
const stringMaps = ['labels', 'annotations'];

function decodeMetadata(value: unknown): MutableJson {
	if (value === undefined || value === null) return {};
	if (!isRecord(value)) throw wrongType('metadata', 'an object');
	// Server-side apply's bookkeeping, which this server has no use for, and a field that is gone since Kubernetes 1.24.
	const { managedFields: _, selfLink: __, ...metadata } = value;
	for (const [key, field] of Object.entries(metadata)) {
		// Absent and null are one in Go's types.
		if (field === null) delete metadata[key];
		else if (strings.includes(key) && typeof field !== 'string') throw wrongType(`metadata.${key}`, 'a string');
		else if (stringMaps.includes(key)) checkStringMap(`metadata.${key}`, field);
		else if (key === 'finalizers' && !isListOf(field, (item) => typeof item === 'string'))
			throw wrongType('metadata.finalizers', 'a list of strings');
		else if (key === 'ownerReferences' && !isListOf(field, isRecord)) throw wrongType('metadata.ownerReferences', 'a list of objects');
	}
	return metadata;
}

function checkStringMap(field: string, value: unknown): void {
	if (!isRecord(value)) throw wrongType(field, 'a map of strings');
	for (const [key, item] of Object.entries(value)) if (typeof item !== 'string') throw wrongType(`${field}[${key}]`, 'a string');
}

function isListOf(value: unknown, test: (item: unknown) => boolean): boolean {
	return Array.isArray(value) && value.every(test);
}

function wrongType(field: string, expected: string): ApiError {
	return badRequest(`cannot decode the object: ${field} must be ${expected}`);
}

/** Custom resources: prunes what the schema does not know, as `fieldValidation` asks, and applies its defaults. */
export function applySchema(endpoint: Endpoint, object: ApiObject, options: WriteOptions): ApiObject {
	const schema = endpoint.schema?.compiled;
	if (!schema) return object;
	const { apiVersion, kind, metadata, ...content } = object;
	const mode = options.fieldValidation ?? 'Warn';
	const unknown = mode === 'Ignore' ? [] : schema.unknownFields(content);
	if (mode === 'Strict' && unknown.length > 0) {
		throw badRequest(
			`${kind} in version "${apiVersion}" cannot be handled as a ${kind}: strict decoding error: ${unknown.map((field) => `unknown field "${field}"`).join(', ')}`,
		);
	}
	for (const field of unknown) options.warn?.(`unknown field "${field}"`);
	return { apiVersion, kind, metadata, ...schema.applyDefaults(schema.prune(content)) };
}
