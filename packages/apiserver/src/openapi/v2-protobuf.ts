import { gvkExtension } from './names.ts';
import { field, message, repeated } from './protobuf.ts';
import type { V2Document, V2Operation } from './v2-document.ts';
import type { V2Schema } from './v2-schema.ts';

// Field numbers of github.com/google/gnostic, openapiv2/OpenAPIv2.proto. Extensions carry YAML text, of which JSON is a subset.

export function encodeDocument({ swagger, info, paths, definitions }: V2Document): Buffer {
	return message(
		field(1, swagger),
		field(2, message(field(1, info.title), field(2, info.version))),
		field(
			8,
			repeated(
				2,
				named(paths, ({ patch }) => message(field(8, encodeOperation(patch)))),
			),
		),
		field(9, repeated(1, named(definitions, encodeSchema))),
	);
}

/** NamedPathItem, NamedSchema: {name=1, value=2}. */
function named<T>(members: Readonly<Record<string, T>>, encode: (value: T) => Buffer): readonly Buffer[] {
	return Object.entries(members).map(([name, value]) => message(field(1, name), field(2, encode(value))));
}

function encodeOperation(operation: V2Operation): Buffer {
	const parameters = operation.parameters.map(({ name, in: place, type }) => {
		const query = message(field(2, place), field(4, name), field(6, type));
		// ParametersItem{parameter=1} > Parameter{non_body_parameter=2} > NonBodyParameter{query_parameter_sub_schema=3}
		return message(field(1, message(field(2, message(field(3, query))))));
	});
	return message(repeated(8, parameters), field(13, extension(gvkExtension, operation[gvkExtension])));
}

function encodeSchema(schema: V2Schema): Buffer {
	const { format, description, required = [], additionalProperties, type, items, properties } = schema;
	const kinds = schema[gvkExtension];
	return message(
		field(2, format),
		field(4, description),
		repeated(19, required),
		field(21, additionalProperties && message(field(1, encodeSchema(additionalProperties)))),
		field(22, type === undefined ? undefined : message(field(1, type))),
		field(23, items && message(field(1, encodeSchema(items)))),
		field(25, properties && repeated(1, named(properties, encodeSchema))),
		field(31, kinds && extension(gvkExtension, kinds)),
	);
}

/** NamedAny{name=1, value=2 Any{yaml=2}}. */
function extension(name: string, value: unknown): Buffer {
	return message(field(1, name), field(2, message(field(2, JSON.stringify(value)))));
}
