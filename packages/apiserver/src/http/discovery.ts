import { apiVersionOf } from '@tapestry/kube';
import type { Endpoint, Subresource } from '../registry/kind.ts';
import type { Registry } from '../registry/registry.ts';
import { parseAccept } from './negotiate.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const statusVerbs = ['get', 'patch', 'update'];

/** The resource lists of one group and version; undefined when it is not served. */
export function resourceList(registry: Registry, group: string, version: string): object | undefined {
	const endpoints = registry.endpoints().filter((endpoint) => endpoint.group === group && endpoint.version === version);
	if (endpoints.length === 0) return undefined;
	const resources = endpoints.flatMap((endpoint) => [
		resourceOf(endpoint),
		...subresourcesOf(endpoint).map((sub) => subresourceOf(endpoint, sub)),
	]);
	return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources };
}

function resourceOf({ kind }: Endpoint): object {
	const { plural, singular, namespaced, shortNames, categories } = kind;
	return {
		name: plural,
		singularName: singular,
		namespaced,
		kind: kind.kind,
		verbs,
		...(shortNames.length > 0 ? { shortNames } : {}),
		...(categories.length > 0 ? { categories } : {}),
	};
}

function subresourcesOf(endpoint: Endpoint): readonly Subresource[] {
	const status = endpoint.status ? [{ name: 'status', kind: endpoint.kind.kind, verbs: statusVerbs }] : [];
	return [...status, ...endpoint.subresources];
}

function subresourceOf({ kind }: Endpoint, { name, kind: body, group, version, verbs: allowed }: Subresource): object {
	return {
		name: `${kind.plural}/${name}`,
		singularName: '',
		namespaced: kind.namespaced,
		...(group ? { group } : {}),
		...(version ? { version } : {}),
		kind: body,
		verbs: allowed,
	};
}

export function coreVersions(address: string): object {
	return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] };
}

export function groupList(registry: Registry): object {
	const groups = [...registry.groups()].filter(([name]) => name !== '').map(([name, versions]) => groupOf(name, versions));
	return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** One group; undefined when it is not served. */
export function apiGroup(registry: Registry, name: string): object | undefined {
	const versions = registry.groups().get(name);
	return versions && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, versions) };
}

function groupOf(name: string, versions: readonly string[]): object {
	const known = versions.map((version) => ({ groupVersion: apiVersionOf({ group: name, version }), version }));
	return { name, versions: known, preferredVersion: known[0] };
}

export interface Aggregated {
	readonly contentType: string;
	readonly body: object;
}

/**
 * Everything below /api or /apis in one answer (KEP-3352), when the client prefers that: kubectl since 1.26 does, and is spared a
 * request per group and version. Undefined otherwise.
 */
export function aggregatedDiscovery(registry: Registry, accept: string | undefined, core: boolean): Aggregated | undefined {
	const range = parseAccept(accept).find(({ type, parameters }) => type === 'application/json' && isKnown(parameters));
	const { as, v } = range?.parameters ?? {};
	if (as === undefined) return undefined;
	const groups = [...registry.groups()].filter(([name]) => (name === '') === core);
	const items = groups.map(([name, versions]) => ({
		metadata: name === '' ? {} : { name },
		versions: versions.map((version) => ({ version, resources: aggregatedResources(registry, name, version), freshness: 'Current' })),
	}));
	return {
		contentType: `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`,
		body: { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${v}`, metadata: {}, items },
	};
}

function isKnown({ as, g, v }: Readonly<Record<string, string>>): boolean {
	return as === undefined || (as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && (v === 'v2' || v === 'v2beta1'));
}

function aggregatedResources(registry: Registry, group: string, version: string): object[] {
	const endpoints = registry.endpoints().filter((endpoint) => endpoint.group === group && endpoint.version === version);
	return endpoints.map((endpoint) => {
		const { plural, singular, namespaced, kind, shortNames, categories } = endpoint.kind;
		const subresources = subresourcesOf(endpoint).map((sub) => ({
			subresource: sub.name,
			responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
			verbs: sub.verbs,
		}));
		return {
			resource: plural,
			responseKind: { group, version, kind },
			scope: namespaced ? 'Namespaced' : 'Cluster',
			singularResource: singular,
			verbs,
			...(shortNames.length > 0 ? { shortNames } : {}),
			...(categories.length > 0 ? { categories } : {}),
			...(subresources.length > 0 ? { subresources } : {}),
		};
	});
}
