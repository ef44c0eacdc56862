import { isDeepStrictEqual } from 'node:util';
import { badRequest, conflict, invalid, notFound, staleVersion } from '../errors.ts';
import { type ApiObject, type Draft, draftOf, stringsAt } from '../objects.ts';
import { toServed, toStored } from '../registry/kind.ts';
import { validateMetadata } from '../registry/metadata.ts';
import { invalidValue, notAllowed } from '../registry/names.ts';
import type { FieldError } from '../schema/index.ts';
import { admissionOf, type NamedTarget, type RestContext, type WriteOptions } from './context.ts';
import { subjectOf } from './create.ts';
import { decodeObject } from './decode.ts';
import { validateShape } from './shape.ts';

export interface UpdateOptions extends WriteOptions {
	/** Changes only this part. `finalize` is of namespaces: their spec.finalizers. */
	readonly subresource?: 'status' | 'finalize';
}

/** An update on its way: what there is, and what there would be. */
export interface Proposal {
	readonly before: ApiObject;
	readonly draft: Draft;
}

/**
 * Replaces an object by what `change` makes of it, both as the endpoint serves them. Returns it as stored: an update that changes
 * nothing is no write, and the one that removes the last finalizer of a deleted object removes it. Throws ApiError.
 */
export function updateObject(
	context: RestContext,
	target: NamedTarget,
	change: (served: ApiObject) => unknown,
	options: UpdateOptions = {},
): ApiObject {
	return storeUpdate(context, target, completeUpdate(context, target, proposeUpdate(context, target, change, options), options), options);
}

/** The change put together with what this request may not change. Throws ApiError. */
export function proposeUpdate(
	context: RestContext,
	target: NamedTarget,
	change: (served: ApiObject) => unknown,
	options: UpdateOptions,
): Proposal {
	const { endpoint, namespace, name } = target;
	const before = context.store.get(endpoint.kind.resource, namespace, name);
	if (!before) throw notFound(subjectOf(endpoint), name);
	const after = decodeObject(endpoint, change(toServed(endpoint, before)), options);
	checkPreconditions(target, after, before);
	return { before, draft: merge(target, toStored(endpoint, after), before, options.subresource) };
}

/** The proposal with all that the server sets, and found valid. Throws ApiError. */
export function completeUpdate(
	context: RestContext,
	{ endpoint, name }: NamedTarget,
	{ before, draft }: Proposal,
	options: UpdateOptions,
): Proposal {
	const { kind } = endpoint;
	const admission = admissionOf(context);
	const shape = validateShape(endpoint, draft);
	if (shape.length > 0) throw invalid(subjectOf(endpoint), name, [...validateMetadata(draft, kind), ...shape]);
	if (!options.subresource) kind.strategy.update?.(draft, before, admission);
	const errors = [
		...validateMetadata(draft, kind),
		...(kind.strategy.validate?.(draft, before, admission) ?? []),
		...validateFinalizers(draft, before),
	];
	if (errors.length > 0) throw invalid(subjectOf(endpoint), name, errors);
	if (kind.strategy.generation && contentChanged(draft, before, endpoint.status || !kind.custom)) {
		draft.metadata.generation = (before.metadata.generation ?? 0) + 1;
	}
	return { before, draft };
}

export function storeUpdate(
	context: RestContext,
	{ endpoint, namespace, name }: NamedTarget,
	{ before, draft }: Proposal,
	options: UpdateOptions,
): ApiObject {
	const { resource } = endpoint.kind;
	if (isDeepStrictEqual(draft, before)) return before;
	if (options.dryRun) return draft;
	if (isReleased(draft)) return context.store.remove(resource, namespace, name) ?? draft;
	return context.store.put(resource, draft);
}

/** True when an object that is being deleted has nothing left to wait for. */
export function isReleased(object: ApiObject): boolean {
	const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
	if (!deletionTimestamp || (deletionGracePeriodSeconds ?? 0) > 0 || (finalizers ?? []).length > 0) return false;
	const isNamespace = object.kind === 'Namespace' && object.apiVersion === 'v1';
	return !isNamespace || stringsAt(object, 'spec.finalizers').length === 0;
}

function checkPreconditions({ endpoint, namespace, name }: NamedTarget, after: ApiObject, before: ApiObject): void {
	const { metadata } = after;
	if (metadata.name !== name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
	if (namespace && (metadata.namespace ?? namespace) !== namespace) {
		throw badRequest(`the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`);
	}
	const subject = subjectOf(endpoint);
	if (metadata.uid && metadata.uid !== before.metadata.uid) {
		throw conflict(subject, name, `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${before.metadata.uid}`);
	}
	if (!metadata.resourceVersion && endpoint.kind.custom) {
		throw invalid(subject, name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]);
	}
	if (metadata.resourceVersion && metadata.resourceVersion !== before.metadata.resourceVersion) throw staleVersion(subject, name);
}

/** The object as it would be stored, with all that this request may not change taken from `before`. */
function merge({ endpoint }: NamedTarget, proposed: ApiObject, before: ApiObject, subresource: UpdateOptions['subresource']): Draft {
	const draft = draftOf(subresource ? { ...before, metadata: endpoint.kind.custom ? before.metadata : proposed.metadata } : proposed);
	if (subresource === 'status') setOrDelete(draft, 'status', proposed.status);
	else if (subresource === 'finalize') draft.spec = structuredClone(proposed.spec);
	else if (endpoint.status) setOrDelete(draft, 'status', before.status);
	const { labels, annotations, finalizers, ownerReferences } = draft.metadata;
	const kept = { ...before.metadata };
	for (const key of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) delete kept[key];
	draft.metadata = {
		...kept,
		...(isEmpty(labels) ? {} : { labels }),
		...(isEmpty(annotations) ? {} : { annotations }),
		...(isEmpty(finalizers) ? {} : { finalizers }),
		...(isEmpty(ownerReferences) ? {} : { ownerReferences }),
	} as Draft['metadata'];
	return draft;
}

/** Go leaves empty maps and lists out (`omitempty`). */
function isEmpty(value: object | undefined): boolean {
	return value === undefined || Object.keys(value).length === 0;
}

function setOrDelete(draft: Draft, key: string, value: unknown): void {
	if (value === undefined) delete draft[key];
	else draft[key] = structuredClone(value);
}

function validateFinalizers(draft: Draft, before: ApiObject): FieldError[] {
	if (!before.metadata.deletionTimestamp) return [];
	const known = new Set(before.metadata.finalizers);
	const added = (draft.metadata.finalizers ?? []).filter((name) => !known.has(name));
	if (added.length === 0) return [];
	return [
		notAllowed(
			'metadata.finalizers',
			`no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
		),
	];
}

function contentChanged(draft: Draft, before: ApiObject, statusApart: boolean): boolean {
	const content = ({ metadata: _, apiVersion: __, ...rest }: ApiObject): object => (statusApart ? { ...rest, status: undefined } : rest);
	return !isDeepStrictEqual(content(draft), content(before));
}
