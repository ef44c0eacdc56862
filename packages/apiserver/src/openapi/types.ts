import type { JsonObject } from '../schema/index.ts';

export interface OpenApiKind {
	readonly group: string;
	readonly version: string;
	readonly kind: string;
	readonly plural: string;
	readonly namespaced: boolean;
	/** The `openAPIV3Schema` of a custom resource. */
	readonly schema?: JsonObject;
}

export interface GroupVersion {
	readonly group: string;
	readonly version: string;
}
