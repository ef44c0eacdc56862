import type { Family } from '@tapestry/base';
import { apiVersionOf } from '@tapestry/kube';
import type { ApiObject, Draft } from '../objects.ts';
import type { CompiledSchema, FieldError, JsonObject } from '../schema/index.ts';
import type { PrinterColumn } from '../table/index.ts';

/** What defaulting and validation may know beside the object itself. */
export interface Admission {
	/** Milliseconds since the epoch. */
	readonly now: number;
	readonly services: ServiceAddresses;
	/** All kinds that are served. */
	kinds(): readonly Kind[];
}

export interface ServiceAddresses {
	/** The families that the cluster has Service addresses of, the preferred one first. */
	readonly families: readonly Family[];
	/** A free address; undefined when there is none. */
	free(family: Family): string | undefined;
	/** True when the address lies in the Service CIDRs and no other Service has it. */
	available(address: string): boolean;
	/** A free port that is not in `taken` either. */
	freeNodePort(taken: ReadonlySet<unknown>): number | undefined;
	inNodePorts(port: unknown): boolean;
	/** True when another Service has the port for the protocol. */
	nodePortTaken(port: unknown, protocol: unknown): boolean;
}

/** What a kind does beyond what every object gets. All functions may change the draft they are given and nothing else. */
export interface Strategy {
	/** The rule of `metadata.name`. @default 'subdomain' */
	readonly names?: 'subdomain' | 'label' | 'label1035' | 'path';
	/** Fills defaults and server-set fields of a new object. */
	readonly create?: (draft: Draft, admission: Admission) => void;
	/** Carries over and fills what an update may not change or leaves out. */
	readonly update?: (draft: Draft, before: ApiObject, admission: Admission) => void;
	/** The errors of the object as it would be stored; `before` is undefined for a new one. */
	readonly validate?: (object: ApiObject, before: ApiObject | undefined, admission: Admission) => readonly FieldError[];
	/** `metadata.generation` counts the changes of what is neither metadata nor status. */
	readonly generation?: boolean;
	/** DELETE answers with the object instead of a Status. */
	readonly returnsDeleted?: boolean;
	/** Field selectors beside metadata.name and metadata.namespace, as dotted paths of the stored object. */
	readonly fields?: readonly string[];
}

/** One collection of stored objects. */
export interface Kind {
	readonly group: string;
	readonly plural: string;
	readonly singular: string;
	readonly kind: string;
	readonly listKind: string;
	readonly shortNames: readonly string[];
	readonly categories: readonly string[];
	readonly namespaced: boolean;
	/** Its name in the store: `plural` or `plural.group`. */
	readonly resource: string;
	readonly strategy: Strategy;
	/** True for kinds that a CustomResourceDefinition defines. */
	readonly custom: boolean;
	/** The apiVersion that its objects are stored with. */
	readonly storedAs: string;
	readonly served: readonly Served[];
}

/** A subresource beside `status`. */
export interface Subresource {
	readonly name: string;
	/** The kind of its body, with its group and version when those are not the resource's own. */
	readonly kind: string;
	readonly group?: string;
	readonly version?: string;
	readonly verbs: readonly string[];
}

/** A kind as one group and version show it. */
export interface Served {
	readonly group: string;
	readonly version: string;
	readonly status: boolean;
	readonly subresources: readonly Subresource[];
	/** Of custom kinds, as written and compiled. The built-in ones have their types in typed/, or a schema, too. */
	readonly schema?: { readonly source: JsonObject; readonly compiled: CompiledSchema };
	readonly columns?: readonly PrinterColumn[];
	/** For the few versions that differ in more than their apiVersion. */
	readonly convert?: { readonly toServed: (stored: ApiObject) => ApiObject; readonly toStored: (served: ApiObject) => ApiObject };
}

/** What a URL leads to. */
export interface Endpoint extends Served {
	readonly kind: Kind;
}

/** A stored object as the endpoint shows it. */
export function toServed(endpoint: Endpoint, stored: ApiObject): ApiObject {
	const apiVersion = apiVersionOf(endpoint);
	if (stored.apiVersion === apiVersion) return stored;
	return { ...(endpoint.convert?.toServed(stored) ?? stored), apiVersion };
}

/** An object as the endpoint's clients write it, in the form that is stored. */
export function toStored(endpoint: Endpoint, served: ApiObject): ApiObject {
	if (served.apiVersion === endpoint.kind.storedAs) return served;
	return { ...(endpoint.convert?.toStored(served) ?? served), apiVersion: endpoint.kind.storedAs };
}
