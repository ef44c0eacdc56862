import type { ApiObject, MutableJson } from '../objects.ts';
import type { Endpoint, Subresource } from '../registry/kind.ts';

/** What is asked of the API, as webhooks are told of it. */
export interface Attributes {
	readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
	readonly endpoint: Endpoint;
	/** With its own kind where its body is another object than the resource's (a pod's Binding). */
	readonly subresource?: Partial<Subresource> & { readonly name: string };
	/** '' for cluster-scoped kinds. */
	readonly namespace: string;
	/** '' while a generateName has not become a name yet. */
	readonly name: string;
	/** As the endpoint serves it; none for DELETE. */
	readonly object: ApiObject | undefined;
	readonly oldObject: ApiObject | undefined;
	readonly dryRun: boolean;
	/** CreateOptions, UpdateOptions or DeleteOptions. */
	readonly options?: MutableJson;
	readonly warn?: (text: string) => void;
}
