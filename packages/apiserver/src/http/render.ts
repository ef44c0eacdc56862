import type { Clock } from '@tapestry/base';
import { apiVersionOf } from '@tapestry/kube';
import type { ApiObject } from '../objects.ts';
import { type Endpoint, toServed } from '../registry/kind.ts';
import { type IncludeObject, toTable } from '../table/index.ts';
import type { Representation } from './negotiate.ts';

/** How one request wants its objects: see Representation. */
export interface View extends Representation {
	readonly endpoint: Endpoint;
	readonly includeObject: IncludeObject;
	/** For ages in tables. */
	readonly clock: Clock;
}

/** One stored object as the answer's body. */
export function renderObject(view: View, stored: ApiObject): object {
	if (view.shape === 'table') return renderTable(view, [stored], { resourceVersion: stored.metadata.resourceVersion });
	return view.shape === 'partial' ? partialOf(view, stored) : toServed(view.endpoint, stored);
}

export function renderList(view: View, stored: readonly ApiObject[], resourceVersion: number): object {
	const metadata = { resourceVersion: String(resourceVersion) };
	if (view.shape === 'table') return renderTable(view, stored, metadata);
	if (view.shape === 'partial') {
		const items = stored.map((object) => partialOf(view, object));
		return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${view.version}`, metadata, items };
	}
	const items = stored.map((object) => toServed(view.endpoint, object));
	return { kind: view.endpoint.kind.listKind, apiVersion: apiVersionOf(view.endpoint), metadata, items };
}

/** The object of a BOOKMARK: nothing but how far the watch has come, and the mark that the initial events are over. */
export function renderBookmark(view: View, resourceVersion: number, initialEventsEnd: boolean): object {
	const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
	const metadata = { resourceVersion: String(resourceVersion), ...annotations };
	if (view.shape === 'table') return renderTable(view, [], metadata);
	if (view.shape === 'partial') return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${view.version}`, metadata };
	return { kind: view.endpoint.kind.kind, apiVersion: apiVersionOf(view.endpoint), metadata };
}

function renderTable(view: View, stored: readonly ApiObject[], metadata: object): object {
	const { endpoint, includeObject, version } = view;
	const { columns } = endpoint;
	const kind = { group: endpoint.group, version: endpoint.version, kind: endpoint.kind.kind, ...(columns ? { columns } : {}) };
	const objects = stored.map((object) => toServed(endpoint, object));
	return { ...toTable(kind, objects, view.clock.now(), includeObject), apiVersion: `meta.k8s.io/${version}`, metadata };
}

function partialOf(view: View, stored: ApiObject): object {
	return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${view.version}`, metadata: stored.metadata };
}
