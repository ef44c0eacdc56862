import type { JsonObject } from '../schema/index.ts';

// The shape of a CustomResourceDefinition, in its own language. What a shape cannot say is checked in crd.ts.

const string = { type: 'string' };
const boolean = { type: 'boolean' };
const strings = { type: 'array', items: string };
/** Its content has rules of its own, or none here. */
const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function object(properties: JsonObject, ...required: readonly string[]): JsonObject {
	return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
}

function list(items: JsonObject): JsonObject {
	return { type: 'array', items };
}

const column = object(
	{ name: string, type: string, jsonPath: string, format: string, description: string, priority: { type: 'integer' } },
	'name',
	'type',
	'jsonPath',
);
const version = object(
	{
		name: string,
		served: boolean,
		storage: boolean,
		deprecated: boolean,
		deprecationWarning: string,
		schema: object({ openAPIV3Schema: any }),
		subresources: object({ status: any, scale: any }),
		additionalPrinterColumns: list(column),
		selectableFields: list(object({ jsonPath: string }, 'jsonPath')),
	},
	'name',
	'served',
	'storage',
);
const names = object(
	{ plural: string, singular: string, kind: string, listKind: string, shortNames: strings, categories: strings },
	'plural',
	'kind',
);
const condition = object({ type: string, status: string, reason: string, message: string, lastTransitionTime: string });

export const crdSchema: JsonObject = object({
	spec: object(
		{
			group: string,
			names,
			scope: { type: 'string', enum: ['Cluster', 'Namespaced'] },
			versions: list(version),
			// Webhooks are not called by this server.
			conversion: object({ strategy: { type: 'string', enum: ['None'] }, webhook: any }, 'strategy'),
			preserveUnknownFields: { type: 'boolean', enum: [false] },
		},
		'group',
		'names',
		'scope',
		'versions',
	),
	status: object({ conditions: list(condition), acceptedNames: any, storedVersions: strings }),
});
