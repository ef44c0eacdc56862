import { ApiError } from '../errors.ts';
import type { Endpoint } from '../registry/kind.ts';
import type { Registry } from '../registry/registry.ts';

/** What a path below /api/VERSION or /apis/GROUP/VERSION leads to. */
export interface ResourcePath {
	readonly endpoint: Endpoint;
	/** Undefined for a namespaced kind across all namespaces; '' for cluster-scoped kinds. */
	readonly namespace: string | undefined;
	readonly name: string | undefined;
	readonly subresource: string | undefined;
}

/** The group and version that the path begins with, and the steps after them; undefined for other paths. */
export function splitApiPath(
	path: string,
): { readonly group: string; readonly version: string; readonly rest: readonly string[] } | undefined {
	const steps = path.split('/').slice(1).map(decodeStep);
	if (steps.at(-1) === '') steps.pop();
	if (steps[0] === 'api' && steps[1]) return { group: '', version: steps[1], rest: steps.slice(2) };
	if (steps[0] === 'apis' && steps[1] && steps[2]) return { group: steps[1], version: steps[2], rest: steps.slice(3) };
	return undefined;
}

/** Throws the plain NotFound that kube-apiserver gives for what it does not serve. */
export function parseResourcePath(path: string, registry: Registry): ResourcePath {
	const split = splitApiPath(path);
	if (!split) throw noSuchPath();
	const { group, version, rest } = split;
	const [first = '', second, third, ...more] = rest;
	// `namespaces/NAME/PLURAL...` is about objects in a namespace, unless the third step is a subresource of the namespace.
	const inside = first === 'namespaces' && third !== undefined ? registry.endpoint(group, version, third) : undefined;
	if (inside?.kind.namespaced) return { endpoint: inside, namespace: second, name: more[0], subresource: subresourceOf(more.slice(1)) };
	const endpoint = registry.endpoint(group, version, first);
	if (!endpoint) throw noSuchPath();
	const { namespaced } = endpoint.kind;
	// An object of a namespaced kind has no other path than through its namespace.
	if (namespaced && second !== undefined) throw noSuchPath();
	const subresource = subresourceOf(third === undefined ? [] : [third, ...more]);
	return { endpoint, namespace: namespaced ? undefined : '', name: second, subresource };
}

function subresourceOf(steps: readonly string[]): string | undefined {
	if (steps.length > 1) throw noSuchPath();
	return steps[0];
}

function decodeStep(step: string): string {
	try {
		return decodeURIComponent(step);
	} catch {
		throw noSuchPath();
	}
}

export function noSuchPath(): ApiError {
	return new ApiError('NotFound', 'the server could not find the requested resource', {});
}
