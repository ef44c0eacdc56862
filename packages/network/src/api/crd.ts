import type { ObjectMeta, Resource } from './object.ts';
import type { JsonSchema, Schema } from './schema.ts';

/** A column of `kubectl get`; `priority` above 0 shows it only with `-o wide`. */
export interface PrinterColumn {
	readonly name: string;
	readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
	readonly jsonPath: string;
	readonly priority?: number;
}

/** Everything about a kind that the API needs to know. `resource.version` is the version that is stored. */
export interface KindDefinition<Spec = unknown, Status = unknown> {
	readonly resource: Resource;
	readonly singular: string;
	readonly shortNames: readonly string[];
	readonly description: string;
	readonly spec: Schema<Spec>;
	readonly status?: Schema<Status>;
	/** Whether status is written through its own endpoint. */
	readonly statusSubresource: boolean;
	readonly columns: readonly PrinterColumn[];
	/** What `metadata.name` must satisfy beyond Kubernetes' own rules. */
	readonly name?: JsonSchema;
	/** Versions that are served beside the stored one, with the same schema. */
	readonly otherVersions?: readonly string[];
	readonly categories?: readonly string[];
}

/** apiextensions.k8s.io/v1 */
export interface CustomResourceDefinition {
	readonly apiVersion: 'apiextensions.k8s.io/v1';
	readonly kind: 'CustomResourceDefinition';
	readonly metadata: ObjectMeta;
	readonly spec: {
		readonly group: string;
		readonly names: {
			readonly kind: string;
			readonly listKind: string;
			readonly plural: string;
			readonly singular: string;
			readonly shortNames: readonly string[];
			readonly categories?: readonly string[];
		};
		readonly scope: 'Cluster' | 'Namespaced';
		readonly conversion: { readonly strategy: 'None' };
		readonly versions: readonly CustomResourceVersion[];
	};
}

export interface CustomResourceVersion {
	readonly name: string;
	readonly served: boolean;
	readonly storage: boolean;
	readonly schema: { readonly openAPIV3Schema: JsonSchema };
	readonly subresources?: { readonly status: Readonly<Record<string, never>> };
	readonly additionalPrinterColumns: readonly PrinterColumn[];
}

/** A printer column of text. */
export function column(name: string, jsonPath: string, type: PrinterColumn['type'] = 'string'): PrinterColumn {
	return { name, type, jsonPath };
}

export const ageColumn: PrinterColumn = column('Age', '.metadata.creationTimestamp', 'date');

export function customResourceDefinition(kind: KindDefinition): CustomResourceDefinition {
	const { resource } = kind;
	const version = (name: string): CustomResourceVersion => ({
		name,
		served: true,
		storage: name === resource.version,
		schema: { openAPIV3Schema: rootSchema(kind) },
		...(kind.statusSubresource ? { subresources: { status: {} } } : {}),
		additionalPrinterColumns: kind.columns,
	});
	return {
		apiVersion: 'apiextensions.k8s.io/v1',
		kind: 'CustomResourceDefinition',
		metadata: { name: `${resource.plural}.${resource.group}` },
		spec: {
			group: resource.group,
			names: {
				kind: resource.kind,
				listKind: `${resource.kind}List`,
				plural: resource.plural,
				singular: kind.singular,
				shortNames: kind.shortNames,
				...(kind.categories ? { categories: kind.categories } : {}),
			},
			scope: resource.namespaced ? 'Namespaced' : 'Cluster',
			conversion: { strategy: 'None' },
			versions: [resource.version, ...(kind.otherVersions ?? [])].map(version),
		},
	};
}

function rootSchema(kind: KindDefinition): JsonSchema {
	// A default has to satisfy its own schema, so only a spec without required fields can be left out by users.
	const specIsOptional = kind.spec.required === undefined;
	return {
		type: 'object',
		description: kind.description,
		properties: {
			apiVersion: { type: 'string' },
			kind: { type: 'string' },
			metadata: kind.name ? { type: 'object', properties: { name: kind.name } } : { type: 'object' },
			spec: specIsOptional ? { ...kind.spec, default: {} } : kind.spec,
			...(kind.status ? { status: kind.status } : {}),
		},
		...(specIsOptional ? {} : { required: ['spec'] }),
	};
}
