import { CodedError } from '@tapestry/base';
import type { Resource } from './types.ts';

/** The URL path of a collection (no name), an object, or its subresource. */
export function resourcePath(
	resource: Resource,
	target: { readonly namespace?: string | undefined; readonly name?: string | undefined; readonly subresource?: string | undefined } = {},
): string {
	const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
	if (resource.namespaced && target.name !== undefined && target.namespace === undefined) {
		throw new CodedError('KUBE_INVALID', {
			what: `${resource.kind} ${target.name} cannot be addressed`,
			why: `a ${resource.kind} lives in a namespace and none was given`,
		});
	}
	const parts = [
		...(resource.namespaced && target.namespace !== undefined ? ['namespaces', target.namespace] : []),
		resource.plural,
		...(target.name === undefined ? [] : [target.name]),
		...(target.subresource === undefined ? [] : [target.subresource]),
	];
	return [root, ...parts.map(encodeURIComponent)].join('/');
}

/** `group/version`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
	return group === '' ? version : `${group}/${version}`;
}
