import { isJsonObject, type JsonObject } from '../schema/index.ts';
import {
	collectionPath,
	definitionName,
	groupVersionKind,
	groupVersionPath,
	gvkExtension,
	implicitProperties,
	info,
	objectPath,
	writeParameters,
} from './names.ts';
import type { GroupVersion, OpenApiKind } from './types.ts';

/** The document at `/openapi/v3`: one path per distinct group and version (a list of kinds will do). */
export function openApiV3Index(groups: readonly GroupVersion[]): object {
	const names = new Set(groups.map(groupVersionPath));
	return { paths: Object.fromEntries([...names].map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}` }])) };
}

/** The document at `/openapi/v3/api/v1` or `/openapi/v3/apis/GROUP/VERSION`, for the kinds of that one group and version. */
export function openApiV3Group(kinds: readonly OpenApiKind[]): object {
	return {
		openapi: '3.0.0',
		info,
		paths: Object.fromEntries(kinds.flatMap(pathsOf)),
		components: { schemas: Object.fromEntries(kinds.map((kind) => [definitionName(kind), schemaOf(kind)])) },
	};
}

/**
 * kubectl reads from these: whether a kind takes `fieldValidation` and `dryRun`, and the kind of a resource. No PATCH names a strategic
 * merge body, because kubectl would then merge by this document instead of by its own Go types.
 */
function pathsOf(kind: OpenApiKind): readonly (readonly [string, object])[] {
	const { group, version, plural } = kind;
	const operation = (verb: string): object => ({
		operationId: `${verb}${group.split('.')[0] ?? ''}${version}${plural}`,
		parameters: writeParameters.map((parameter) => ({ name: parameter, in: 'query', schema: { type: 'string' } })),
		responses: {
			200: { description: 'OK', content: { 'application/json': { schema: { $ref: `#/components/schemas/${definitionName(kind)}` } } } },
		},
		'x-kubernetes-action': verb,
		[gvkExtension]: groupVersionKind(kind),
	});
	return [
		[collectionPath(kind), { post: operation('post') }],
		[objectPath(kind), { put: operation('put'), patch: operation('patch') }],
	];
}

function schemaOf(kind: OpenApiKind): JsonObject {
	const extension = { [gvkExtension]: [groupVersionKind(kind)] };
	if (!kind.schema) {
		const description = `The fields of built-in kinds are not described here: see the Kubernetes API reference for ${kind.kind}.`;
		return { description, type: 'object', properties: implicitProperties, ...extension };
	}
	const properties = isJsonObject(kind.schema.properties) ? kind.schema.properties : {};
	return { ...kind.schema, properties: { ...implicitProperties, ...properties }, ...extension };
}
