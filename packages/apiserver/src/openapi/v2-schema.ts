import { isJsonObject, type JsonObject } from '../schema/index.ts';
import { groupVersionKind, gvkExtension, implicitProperties } from './names.ts';
import type { OpenApiKind } from './types.ts';

/** The subset of an OpenAPI v2 schema that the document uses. */
export interface V2Schema {
	readonly description?: string;
	readonly format?: string;
	readonly type?: string;
	readonly required?: readonly string[];
	readonly items?: V2Schema;
	readonly properties?: Readonly<Record<string, V2Schema>>;
	readonly additionalProperties?: V2Schema;
	readonly [gvkExtension]?: readonly object[];
}

/**
 * The definition of a custom resource. kubectl up to 1.26 validates against it on the client, so it must never be stricter than the
 * server: what v2 cannot express (nullable, int-or-string, preserved fields) becomes "anything", as apiextensions-apiserver does.
 */
export function v2Definition(kind: OpenApiKind, schema: JsonObject): V2Schema {
	const { properties, ...rest } = v2Schema(schema);
	return {
		...rest,
		type: 'object',
		...(properties === undefined && isOpen(schema) ? {} : { properties: { ...properties, ...implicitProperties } }),
		[gvkExtension]: [groupVersionKind(kind)],
	};
}

const isOpen = (schema: JsonObject): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;

function v2Schema(schema: JsonObject): V2Schema {
	const description = typeof schema.description === 'string' ? { description: schema.description } : {};
	if (isOpen(schema) || schema.nullable === true || typeof schema.type !== 'string') return description;
	const { type, format, required, items, properties, additionalProperties } = schema;
	const embedded = schema['x-kubernetes-embedded-resource'] === true ? implicitProperties : {};
	return {
		...description,
		type,
		...(typeof format === 'string' ? { format } : {}),
		...(Array.isArray(required) ? { required: required.map(String) } : {}),
		...(type === 'array' ? { items: isJsonObject(items) ? v2Schema(items) : {} } : {}),
		...(isJsonObject(properties) ? { properties: { ...mapSchemas(properties), ...embedded } } : {}),
		...(isJsonObject(additionalProperties) ? { additionalProperties: v2Schema(additionalProperties) } : {}),
	};
}

function mapSchemas(properties: JsonObject): Readonly<Record<string, V2Schema>> {
	return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, isJsonObject(property) ? v2Schema(property) : {}]));
}
