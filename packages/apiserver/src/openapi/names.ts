import type { GroupVersion, OpenApiKind } from './types.ts';

/** `api/v1` or `apis/GROUP/VERSION`. */
export function groupVersionPath({ group, version }: GroupVersion): string {
	return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** The path of one object, as OpenAPI writes it. */
export function objectPath(kind: OpenApiKind): string {
	return `${collectionPath(kind)}/{name}`;
}

export function collectionPath(kind: OpenApiKind): string {
	return `/${groupVersionPath(kind)}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
}

/** As Kubernetes names them: the group's parts reversed (`io.kubeovn.v1.Subnet`). */
export function definitionName({ group, version, kind }: OpenApiKind): string {
	return [...(group === '' ? ['core'] : group.split('.').reverse()), version, kind].join('.');
}

export function groupVersionKind({ group, version, kind }: OpenApiKind): {
	readonly group: string;
	readonly version: string;
	readonly kind: string;
} {
	return { group, version, kind };
}

export const info = { title: 'Kubernetes', version: 'v1' } as const;
export const gvkExtension = 'x-kubernetes-group-version-kind';

/** Query parameters of writes. kubectl asks the document for them before it uses one. */
export const writeParameters = ['dryRun', 'fieldValidation'] as const;

/** What every resource has, whether its schema says so or not. */
export const implicitProperties = {
	apiVersion: { type: 'string', description: 'The API group and version of this object.' },
	kind: { type: 'string', description: 'The kind of this object.' },
	metadata: { type: 'object', description: "Standard object's metadata." },
} as const;
